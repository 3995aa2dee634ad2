// The box that invites a visitor to a chat; visitor.js loads it when an invitation has come.
(() => {
  const STYLE = `
    :host { all: initial !important; display: block !important; box-sizing: border-box !important;
      position: sticky !important; bottom: max(12px, env(safe-area-inset-bottom)) !important;
      z-index: 2147483000 !important; margin: 12px 12px 12px max(12px, 100% - max(352px, 22rem)) !important;
      color-scheme: light dark !important }
    * { box-sizing: border-box; margin: 0 }
    aside { --surface: #fff; --edge: #7f8a84; --ink: #18211d; --ink2: #55615b; --accent: #0b6b57; --on: #fff;
      max-height: calc(100vh - 24px); overflow: auto; padding: 14px 16px; border: 1px solid var(--edge);
      border-radius: 8px; background: var(--surface); color: var(--ink); box-shadow: 0 12px 24px #0003;
      font: max(15px, .9375rem)/1.5 system-ui, "Hiragino Sans", "Yu Gothic UI", "Noto Sans CJK JP", sans-serif; text-align: start;
      overflow-wrap: anywhere }
    aside > * + * { margin-top: 10px }
    h2 { display: flex; gap: 8px; align-items: center; font-size: 1em; font-weight: 700 }
    svg { flex: none; width: 1.2em; height: 1.2em; fill: none; stroke: currentColor; stroke-width: 1.5 }
    .text { white-space: pre-line }
    .answers { display: flex; flex-wrap: wrap; gap: 8px }
    .answers > * { flex: 1 1 120px; display: flex; align-items: center; justify-content: center; min-height: 44px;
      padding: 6px 12px; border: 1px solid var(--edge); border-radius: 6px; background: var(--surface);
      color: var(--ink); font: inherit; text-align: center; text-decoration: none; cursor: pointer }
    .answers > .yes { border-color: var(--accent); background: var(--accent); color: var(--on); font-weight: 600 }
    :focus-visible { outline: 3px solid var(--accent); outline-offset: 2px }
    .note { color: var(--ink2); font-size: .867em }
    .note a { color: var(--accent) }
    [role="status"] { position: absolute; width: 1px; height: 1px; margin: -1px; overflow: hidden;
      clip-path: inset(50%); white-space: nowrap }
    @media (min-width: 960px) { :host { position: fixed !important; inset: auto 24px 24px auto !important;
      width: min(100vw - 48px, max(340px, 21.25rem)) !important; margin: 0 !important } }
    @media (prefers-color-scheme: dark) { aside { --surface: #181e1b; --edge: #78857e; --ink: #e4ebe7;
      --ink2: #a3b0a9; --accent: #63cbac; --on: #04231b } }
    @media print { :host { display: none !important } }`
  const ICON = "M2.5 3h11v7.5H7L4 13.2v-2.7H2.5z"
  const SVG = "http://www.w3.org/2000/svg"
  const TOLD = "stopa-invited"
  const answered = new Set()
  let open = null

  const make = (name, attributes = {}, ...children) => {
    const found = document.createElement(name)
    for (const each in attributes) found.setAttribute(each, attributes[each])
    found.append(...children)
    return found
  }

  const picture = () => {
    const found = document.createElementNS(SVG, "svg")
    found.setAttribute("viewBox", "0 0 16 16")
    found.setAttribute("aria-hidden", "true")
    found.append(document.createElementNS(SVG, "path"))
    found.firstChild.setAttribute("d", ICON)
    return found
  }

  // Read out once per invitation, on whichever page it is shown first.
  const announce = (region, invite) => {
    let known
    try {
      known = sessionStorage[TOLD] == invite.id
      sessionStorage[TOLD] = invite.id
    } catch {}
    if (known) return
    setTimeout(() => (region.textContent = `${invite.title}. ${invite.text}`), 200)
    setTimeout(() => (region.textContent = ""), 10_000)
  }

  // A conversation that begins later gets the visit, too.
  const openChatwoot = (visit) => {
    const chat = window.$chatwoot
    const mark = () => chat.setConversationCustomAttributes({ stopa_visit: visit })
    chat.setCustomAttributes({ stopa_visit: visit })
    mark()
    addEventListener("chatwoot:on-start-conversation", mark, { once: true })
    chat.toggle("open")
  }

  const startChat = (chat, visit) => {
    if (chat.kind != "chatwoot") return
    if (window.$chatwoot?.hasLoaded) openChatwoot(visit)
    else addEventListener("chatwoot:ready", () => openChatwoot(visit), { once: true })
  }

  // Pages use Escape for parts of their own, and forms for what is typed.
  const elsewhere = () =>
    document.querySelector("dialog[open], [aria-modal=true]") ||
    document.activeElement?.closest("input, textarea, select, [contenteditable]")

  const draw = (invite, say, visit) => {
    const host = make("stopa-box")
    const root = host.attachShadow({ mode: "open" })
    const sheet = new CSSStyleSheet()
    sheet.replaceSync(STYLE)
    root.adoptedStyleSheets = [sheet]
    const url = invite.chat.kind == "url" && /^https?:/.test(invite.chat.url) ? invite.chat.url : ""
    const yes = url
      ? make("a", { class: "yes", href: url, target: "_blank", rel: "noopener" }, invite.accept)
      : make("button", { class: "yes", type: "button" }, invite.accept)
    const no = make("button", { class: "no", type: "button" }, invite.decline)
    const region = make("div", { role: "status" })
    const aside = make("aside", { "aria-labelledby": "title" })
    if (invite.lang) aside.lang = invite.lang
    aside.append(
      make("h2", { id: "title" }, picture(), invite.title),
      make("p", { class: "text" }, invite.text),
      make("div", { class: "answers" }, yes, no),
    )
    const privacy = invite.privacy
    const link = privacy && make("a", { href: privacy.url, target: "_blank", rel: "noopener" }, privacy.text)
    if (invite.note || link) {
      aside.append(make("p", { class: "note" }, invite.note || "", link ? " " : "", link || ""))
    }
    root.append(region, aside)

    let before = null
    const close = () => {
      clearTimeout(timer)
      removeEventListener("keydown", escape)
      const focused = document.activeElement == host
      host.remove()
      open = null
      if (focused) before?.focus({ preventScroll: true })
    }
    const answer = (state) => {
      answered.add(invite.id)
      close()
      say(invite.id, state)
    }
    const escape = (event) => {
      const inside = document.activeElement == host
      if (event.key == "Escape" && !event.defaultPrevented && (inside || !elsewhere())) answer("rejected")
    }
    const timer = setTimeout(answer, invite.seconds * 1000, "ignored")
    host.addEventListener("focusin", (event) => (before ||= event.relatedTarget))
    addEventListener("keydown", escape)
    no.addEventListener("click", () => answer("rejected"))
    // After the click itself, so that the browser still follows the link.
    yes.addEventListener("click", () => {
      setTimeout(answer, 0, "accepted")
      startChat(invite.chat, visit)
    })
    open = { id: invite.id, close }
    document.documentElement.append(host)
    announce(region, invite)
    say(invite.id, "shown")
  }

  // Show an invitation, keep the box that shows it already, or close the box without one. `say(id, state)` reports.
  window.stopa.box = (invite, say, visit) => {
    if (open && open.id != invite?.id) open.close()
    if (invite && !open && !answered.has(invite.id)) draw(invite, say, visit)
  }
})()
