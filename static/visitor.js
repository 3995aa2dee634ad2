// Reports what a visitor does on a page to Stopa; see "Visitors" in README.md. It is served without its comments.
(() => {
  const script = document.currentScript
  const early = window.stopa // calls from before this script had loaded
  if (!script || early?.consent) return
  const { key, consent, elements = "" } = script.dataset
  const allowed = elements.split(/[\s,]+/)
  const address = (path) => new URL(path, script.src).href
  const url = address("visit/" + key)
  const HALF_HOUR = 18e5
  const makeId = () =>
    btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(16)))).replace(/[+/]/g, "_").slice(0, 22)
  const tab = makeId()
  const scrolled = new Set()
  let running, heard, gone, busy, soon, timer, selecting, seen, contact, told, visit, loading
  let note = {}
  let queue = []
  let failed = 0
  let floor = 0 // what happens now is later than what is sent already, however long that was on its way
  let most = 100

  const quiet = (act, ...given) => {
    try {
      return act(...given)
    } catch {}
  }
  const past = (at) => Math.max(0, Date.now() - at)
  const text = (value, most = 200) => (value == null ? undefined : `${value}`.slice(0, most))
  const later = (ms, act) => setTimeout(quiet, ms, act)
  const listen = (types, act) =>
    types.split(" ").forEach((type) => addEventListener(type, (event) => running && quiet(act, event), true))

  // Where storage is switched off, each page remembers for itself.
  const load = (store) => quiet(() => JSON.parse(window[store].stopa))
  const save = (store, value) =>
    quiet(() => (value ? (window[store].stopa = JSON.stringify(value)) : delete window[store].stopa))

  // The note of all tabs: browser b, visit v, time of the last activity a, and of the last sign of each open page in t.
  const touch = (active) => {
    const now = Date.now()
    const old = load("localStorage") || note
    const same = now - old.a < HALF_HOUR || (old.v && !active)
    note = { b: old.b || makeId(), v: same ? old.v : makeId(), a: active || !same ? now : old.a, t: old.t || {} }
    note.t[tab] = gone ? 0 : now
    for (const each in note.t) if (now - note.t[each] > 9e4) delete note.t[each]
    save("localStorage", note)
    if (same) return
    seen = 0
    page()
  }

  const add = (k, more) => {
    if (!running) return
    touch(!/agent|invite|scroll/.test(k)) // which may be nothing that the visitor does
    queue = queue.slice(-999)
    queue.push({ v: note.v, at: Date.now(), e: { i: makeId(), k, u: here(), ...more } })
    save("sessionStorage", queue)
    if (busy || failed || soon) return
    soon = 1
    plan(250)
  }
  // Addresses go without their query, in which forms may have put what was typed.
  const here = () => text(location.origin + location.pathname, 2e3)
  const from = () => text(document.referrer.split(/[?#]/)[0], 2e3)
  const page = () => {
    const now = location.href.replace(/#(?![/!]).*/, "")
    if (seen == now) return
    seen = now
    add("page", { t: document.title, r: from() })
  }

  const plan = (ms) => {
    clearTimeout(timer)
    timer = later(ms, report)
  }
  const next = () => queue.filter((each) => each.v == queue[0].v).slice(0, most)
  const pack = (batch) => {
    touch()
    visit = batch.length ? batch[0].v : note.v
    return JSON.stringify({
      v: visit,
      b: note.b,
      l: navigator.language,
      u: here(),
      t: document.title,
      r: from(),
      a: past(visit == note.v ? note.a : batch.at(-1).at),
      bye: gone && !Object.keys(note.t).length ? 1 : undefined,
      c: told == visit ? undefined : contact,
      e: batch.map(({ at, e }) => ({ ...e, m: past(Math.max(at, floor)) })),
    })
  }
  const send = async () => {
    if (!running) return
    soon = 0
    plan(document.hidden ? 3e4 : 5e3)
    if (busy || !navigator.onLine || (!queue.length && Date.now() - note.a > HALF_HOUR)) return
    const batch = next()
    const body = pack(batch)
    const sent = [visit, contact]
    const began = Date.now()
    let status, answer
    busy = 1
    try {
      const found = await fetch(url, {
        method: "POST",
        body,
        credentials: "omit",
        keepalive: body.length < 2e4,
        signal: AbortSignal.timeout?.(2e4),
      })
      status = found.status
      answer = await found.json()
    } catch {}
    busy = 0
    const bad = status == 400 || status == 413
    if (status == 403) stop()
    else if (bad && batch.length > 1) most = batch.length >> 1 // one bad record does not hold up the others
    else if (bad || status < 300) {
      queue = queue.filter((each) => !batch.includes(each))
      if (running) save("sessionStorage", queue)
      failed = 0
      most = 100
      if (batch.length) floor = batch.at(-1).at + past(began)
      if (sent[1] == contact) told = sent[0]
    } else failed++
    plan(failed ? Math.min(3e5, 2500 * 2 ** failed) : queue.length ? 250 : document.hidden ? 3e4 : answer?.next || 5e3)
    if (running && status == 200 && !document.hidden) show(answer?.invite)
  }
  const report = () => {
    send().catch(() => {})
  }
  const stop = () => {
    running = 0
    queue = []
    save("sessionStorage")
  }

  const say = (id, s) => add("invite", { i: `invite-${id}-${s}`, id, s })
  const show = (invite) => {
    if (api.box) api.box(invite, say, note.v)
    else if (invite && !loading) {
      loading = document.createElement("script")
      loading.nonce = script.nonce
      loading.src = address("visitor-box.js")
      loading.onload = () => quiet(api.box, invite, say, note.v)
      document.head.append(loading)
    }
  }

  const nameOf = (node) => {
    const near = (node.closest ? node : node.parentElement)?.closest("[data-stopa],[id],[name],[aria-label],a,button")
    if (!near) return
    const names = ["data-stopa", "id", "name", "aria-label"].map((each) => near.getAttribute(each)).filter(Boolean)
    if (near.matches("a,button")) names.push(near.textContent.trim().slice(0, 60))
    return names.find((each) => allowed.includes(each)) || names[0]
  }
  const valueOf = (el, value) => (allowed.includes(el) ? text(value, 4e3) : undefined)

  const start = () => {
    if (running || navigator.globalPrivacyControl) return
    if (document.prerendering) return addEventListener("prerenderingchange", start)
    running = 1
    queue = load("sessionStorage") || []
    touch(1)
    page()
    report()
    if (heard) return
    heard = 1
    listen("pointermove pointerdown keydown wheel", () => Date.now() - note.a > 1e3 && touch(1))
    listen("click", ({ target }) => target.localName != "stopa-box" && add("click", { el: nameOf(target) }))
    listen("submit", ({ target }) => add("form", { name: nameOf(target) }))
    listen("change", ({ target }) => {
      const el = nameOf(target)
      const secret = target.type == "password" || /cc-|pass|one-/.test(target.autocomplete)
      const value = target.checked === false && /checkbox|radio/.test(target.type) ? "" : target.value
      add("input", { el, n: value.length, x: secret ? undefined : valueOf(el, value) })
    })
    // Carousels scroll by themselves, when the visitor has long done nothing.
    listen("scroll", ({ target }) => {
      if (scrolled.has(target) || past(note.a) > 5e3) return
      scrolled.add(target)
      later(500, () => {
        scrolled.delete(target)
        const { scrollTop, scrollHeight, clientHeight } = target.scrollingElement || target
        const part = scrollTop / (scrollHeight - clientHeight || 1)
        add("scroll", { el: nameOf(target), p: Math.round(100 * Math.max(0, Math.min(1, part))) })
      })
    })
    listen("selectionchange", () => {
      clearTimeout(selecting)
      selecting = later(500, () => {
        const chosen = `${getSelection()}`
        if (!chosen || document.activeElement?.matches("input,textarea")) return
        const el = nameOf(getSelection().anchorNode)
        add("select", { el, x: valueOf(el, chosen) })
      })
    })
    for (const each of ["pushState", "replaceState"]) {
      const own = history[each]
      history[each] = function (...given) {
        own.apply(this, given)
        later(0, page)
      }
    }
    listen("popstate", page)
    listen("online", () => {
      failed = 0
      report()
    })
    listen("visibilitychange", report)
    listen("pagehide", () => {
      gone = 1
      navigator.sendBeacon(url, pack(next()))
    })
    listen("pageshow", ({ persisted }) => {
      if (!persisted) return
      seen = gone = busy = soon = 0
      touch(1)
      page()
    })
    listen("storage", (event) => event.key == "stopa" && !event.newValue && api.consent())
  }

  const api = {
    consent(yes) {
      if (yes) return start()
      stop()
      note = {}
      contact = 0
      save("localStorage")
      api.box?.()
    },
    identify(id, sig, name) {
      contact = { id: text(id), sig: text(sig), name: text(name) }
      told = 0
    },
    event(name, value) {
      add("custom", { name: text(name), x: text(typeof value == "object" ? JSON.stringify(value) : value, 4e3) })
    },
    agent(name, el) {
      add("agent", { name: text(name), el: text(el) })
    },
    push([name, ...given]) {
      api[name](...given)
    },
  }
  for (const name in api) api[name] = quiet.bind(0, api[name])
  window.stopa = api
  early?.forEach?.((call) => api.push(call))
  if (consent == "not-needed") start()
})()
