"""The kit of settings rows: list, search, sort, form, versioned update, audit, removal with confirmation.

A page subclasses `Resource`, declares model, form, columns and texts, and overrides the methods in which it
differs. Every change is one transaction with its audit entry inside. A save carries the version that the form
was made from; when somebody else has saved meanwhile nothing is changed and the form shows both values.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, ClassVar

import peewee
from flask import Blueprint, Response, flash, g, make_response, redirect, request, url_for
from flask_babel import gettext as _
from markupsafe import Markup

from dashboard.access.granting import RefusedError
from dashboard.access.guard import require
from dashboard.access.permissions import Permission
from dashboard.i18n import formats
from dashboard.web import forms, lists
from dashboard.web.columns import Column, Texts
from dashboard.web.page import render, row_url
from dashboard.web.versioned import FormT, InvalidError, VersionedRows

Crumbs = list[tuple[str, str | None]]


class Resource(VersionedRows[FormT]):
    """One table of settings rows and its pages. Methods from `rows` to `context` are overridden by need."""

    view: ClassVar[Permission]
    edit_permission: ClassVar[Permission]
    also: ClassVar[tuple[Permission, ...]] = ()  # each is enough to view and edit as well
    texts: ClassVar[Texts]
    columns: ClassVar[tuple[Column, ...]] = ()
    unique: ClassVar[str] = "name"  # the field that no two rows may share
    refused: ClassVar[str] = ""  # the field that shows why rights do not suffice
    new_path: ClassVar[str | None] = "/new"  # None: a row is added on the list
    reads: ClassVar[bool] = True  # whoever sees the list may open the form
    searches: ClassVar[bool] = True  # the list can be searched and filtered
    edit_path: ClassVar[str] = ""  # end of the form's address
    edits: ClassVar[bool] = True  # rows can be changed after they have been added
    leaves: ClassVar[str] = "deactivate"  # or "delete", or a method of the page
    asks_back: ClassVar[bool] = False  # a reactivation is confirmed, too
    include: ClassVar[str] = "deactivated"  # parameter of the address that also lists rows that left
    labels: ClassVar[Mapping[str, str]] = MappingProxyType({})  # of values that are no fields
    index_template: ClassVar[str] = "resource/index.html"
    form_template: ClassVar[str] = "resource/form.html"
    form_fragments: ClassVar[tuple[str, ...]] = ()  # blocks of the form's page that refresh themselves
    stays: ClassVar[bool] = False  # a save leads back to the form, not to the list
    lists: ClassVar[bool] = True  # False: the list is a `Listing`

    def __init__(self, blueprint: Blueprint, path: str = "", prefix: str = "") -> None:
        """Add the routes to a blueprint below `path`; `prefix` begins the names of the endpoints."""
        self.endpoints = f"{blueprint.name}.{prefix}"
        self.sort_keys = {column.key: column.sort_key for column in self.columns if column.sorts}
        view, edit = (self.view, *self.also), (self.edit_permission, *self.also)
        routes: list[tuple[str, str, tuple[Permission, ...], Sequence[str]]] = [
            (self.new_path or "", "create", edit, ["POST"]),
            (f"/<int:ident>/{self.leaves}", self.leaves, edit, ["GET", "POST"]),
        ]
        if self.lists:
            routes.append(("", "index", view, ["GET"]))
        if self.new_path:
            routes.append((self.new_path, "new", edit, ["GET"]))
        if self.edits:
            readers = view + edit if self.reads else edit
            routes += [
                (f"/<int:ident>{self.edit_path}", "edit", readers, ["GET"]),
                (f"/<int:ident>{self.edit_path}", "update", edit, ["POST"]),
            ]
        if self.leaves == "deactivate":
            allowed = ["GET", "POST"] if self.asks_back else ["POST"]
            routes.append(("/<int:ident>/reactivate", "reactivate", edit, allowed))
        for rest, verb, permissions, methods in routes:
            view_function = require(*permissions)(getattr(self, verb))
            blueprint.add_url_rule(path + rest, prefix + verb, view_function, methods=methods)

    # -- what a page may override: reads

    def rows(self, gone: bool) -> Iterable[Any]:
        """Return what the list shows, in any order; with `gone` also rows that were deactivated."""
        query = self.model.select()
        if self.leaves == "deactivate" and not gone:
            query = query.where(self._column("deactivated_ts").is_null())
        return list(query)

    def searched(self, row: Any) -> Sequence[str]:
        """Return the texts in which the search looks."""
        return (row.name, self.called(row))

    def list_context(self, found: Sequence[Any]) -> dict[str, Any]:
        """Return what the template of the list needs besides, for the rows `found` on all pages."""
        return {}

    def one(self, ident: int) -> Any:
        """Return the row, or answer 404."""
        return forms.one(self.model, ident)

    def below(self, row: Any) -> str:
        """Return what stands below the name where the screen is narrow."""
        return ""

    def readable(self, values: dict[str, Any], form: FormT) -> dict[str, Any]:
        """Return values as the comparison with somebody else's shows them."""
        return self.audited(values)

    def may_edit(self) -> bool:
        return bool(g.scope.permissions.intersection((self.edit_permission, *self.also)))

    # -- what a page may override: forms and changes

    def filled(self, row: Any) -> dict[str, Any]:
        """Return what the fields of the row's form show."""
        return self.stored(row)

    def form(self, row: Any | None, sent: Any = None) -> FormT:
        """Return the form of a row, or of a new one, filled with what was sent if anything was."""
        data = {} if row is None else {**self.filled(row), "version": row.version}
        return self.form_class(sent, data=data)

    def added(self, row: Any, form: FormT) -> Response:
        """Answer after a row has been added."""
        return self.done(_("%(name)s added.", name=self.called(row)), self._after(row))

    def saved(self, row: Any, form: FormT) -> Response:
        """Answer after a change; `row` is as it was before."""
        return self.done(self.saved_text(row, form), self._after(row))

    def saved_text(self, row: Any, form: FormT) -> str:
        return str(_("Saved."))

    def context(self, row: Any | None, form: FormT) -> dict[str, Any]:
        """Return what the template of the form needs besides."""
        return {}

    # -- the pages

    def index(self, status: int = 200, **more: Any) -> Response:
        by = lists.order(request.args, self.sort_keys, self.columns[0].key)
        sought, gone = lists.needle(request.args), bool(request.args.get(self.include))
        found = [row for row in self.rows(gone) if lists.found(sought, *self.searched(row))]
        ordered: Sequence[Any] = lists.arranged(found, by, self.sort_keys) if self.sort_keys else found
        return self.render(
            self.index_template,
            {"result"},
            status,
            rows=ordered,
            q=sought,
            gone=gone,
            by=by,
            heads=lists.heads(by, self.sort_keys),
            **{**self.list_context(found), **more},
        )

    def new(self) -> Response:
        return self.show(None, self.form(None))

    def create(self) -> Response:
        form = self.form(None, request.form)
        row = self._attempt(form, lambda: self.create_row(form)) if form.validate() else None
        return self.show(None, form, 422) if row is None else self.added(row, form)

    def edit(self, ident: int) -> Response:
        row = self.one(ident)
        return self.show(row, self.form(row))

    def update(self, ident: int) -> Response:
        row = self.one(ident)
        form = self.form(row, request.form)
        saved = self._attempt(form, lambda: self.update_row(row, form)) if form.validate() else None
        if saved is None:
            return self.show(row, form, 422)
        return self.saved(row, form) if saved else self._stale(ident, form)

    def deactivate(self, ident: int) -> Response:
        row = self.one(ident)
        return self.confirm(
            row,
            lambda: self.set_active(row, False),
            title=_("Deactivate %(name)s?", name=self.called(row)),
            verb=_("Deactivate"),
            done=_("%(name)s deactivated.", name=self.called(row)),
            target=self._after(row),
        )

    def reactivate(self, ident: int) -> Response:
        row = self.one(ident)
        back, done = self.url("edit", row), _("%(name)s reactivated.", name=self.called(row))
        if not self.asks_back:
            self.set_active(row, True)
            return self.done(done, back)
        return self.confirm(
            row,
            lambda: self.set_active(row, True),
            title=_("Reactivate %(name)s?", name=self.called(row)),
            verb=_("Reactivate"),
            done=done,
            target=back,
            texts=[_(text) for text in self.texts.back],
        )

    def delete(self, ident: int) -> Response:
        row = self.one(ident)
        return self.confirm(
            row,
            lambda: self.remove(row),
            title=_("Delete %(name)s?", name=self.called(row)),
            verb=_("Delete"),
            done=_("%(name)s deleted.", name=self.called(row)),
        )

    # -- parts that pages use, too

    def url(self, verb: str, row: Any = None, **query: Any) -> str:
        if row is not None:
            return row_url(self.endpoints + verb, row.id, **query)
        return url_for(self.endpoints + verb, **query)

    def crumbs(self, below: bool = False) -> Crumbs:
        """Return the way to the list, or to what lies below it."""
        way: Crumbs = [(_("Settings"), None)]
        return [*way, (_(self.texts.title), self.url("index"))] if below else way

    def links(self) -> list[tuple[str, str]]:
        """Return label and address of links beside the button of a new row."""
        return []

    def head_cell(self, row: Any) -> Markup:
        """Return the name of a row in the list, a link to its form where there is one."""
        name = Markup.escape(self.called(row))
        if self.edits and (self.reads or self.may_edit()):
            name = Markup('<a class="name" href="{}">{}</a>').format(self.url("edit", row), name)
        small = self.below(row)
        return name + Markup('<span class="p0 mut sm">{}</span>').format(small) if small else name

    def render(
        self, template: str, fragments: Iterable[str] = (), status: int = 200, **context: Any
    ) -> Response:
        """Render a template with what all of them need."""
        context = {"resource": self, "texts": self.texts, "may_edit": self.may_edit(), **context}
        return render(template, set(fragments), status, **context)

    def show(self, row: Any | None, form: FormT, status: int = 200, **more: Any) -> Response:
        """Render the form."""
        context = {"row": row, "form": form, "differing": None, **self.context(row, form), **more}
        return self.render(self.form_template, self.form_fragments, status, **context)

    def done(self, text: str, target: str = "", kind: str = "ok") -> Response:
        """Show what has been done in a note (ok, warn or bad) on `target`, else on the list."""
        flash(text, kind)
        return make_response(redirect(target or self.url("index")))

    def leave_texts(self, row: Any) -> Sequence[str]:
        """Return what the confirmation of a removal says."""
        return [_(text) for text in self.texts.leave]

    def obstacles(self, row: Any) -> Sequence[str]:
        """Return why a row cannot be removed now."""
        return ()

    def confirm(
        self,
        row: Any,
        act: Callable[[], None],
        *,
        title: str,
        verb: str,
        done: str,
        target: str = "",
        texts: Sequence[str] = (),
    ) -> Response:
        """Ask on GET, act on POST and lead to `target`; a refusal is shown on the same page."""
        errors, post = list(self.obstacles(row)), request.method == "POST"
        blocked = bool(errors)
        if post and not blocked:
            try:
                act()
            except InvalidError as error:
                errors = [error.problem]
            except RefusedError as error:
                errors = [refusal(error)]
            else:
                return self.done(done, target)
        back = self.url("edit", row) if self.edits else self.url("index")
        return render(
            "layout/confirm.html",
            status=422 if post else 200,
            title=title,
            errors=errors,
            crumbs=[*self.crumbs(True), *([(self.called(row), back)] if self.edits else [])],
            texts=texts or self.leave_texts(row),
            verb=None if blocked else verb,
            back_url=back,
        )

    # -- inside

    def _after(self, row: Any) -> str:
        return self.url("edit", row) if self.stays else self.url("index")

    def _attempt(self, form: FormT, act: Callable[[], Any]) -> Any:
        """Return what `act` returns, or None with the reason on the form when it is refused."""
        try:
            return act()
        except peewee.IntegrityError:
            form.reject(self.unique, _(self.texts.taken))
        except InvalidError as error:
            form.reject(error.field, error.problem)
        except RefusedError as error:
            form.reject(self.refused, refusal(error))
        return None

    def _stale(self, ident: int, form: FormT) -> Response:
        row = self.one(ident)
        stored, typed = self.readable(self.stored(row), form), self.readable(form.values(), form)
        labels = {name: self.labels.get(name) or form[name].label.text for name in typed}
        form.version.data = row.version
        return self.show(row, form, 422, differing=forms.both(labels, stored, typed))


def refusal(error: RefusedError) -> str:
    """Return in the reader's language why rights do not suffice."""
    if not error.lacking:
        return str(_(str(error)))
    return str(_(str(error), what=formats.listed(_(label) for label in error.lacking)))
