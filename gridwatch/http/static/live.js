// Refreshes an open page in place: fetches it again and changes only the nodes that differ, so that scroll
// position, focus, selection, form input and unfolded parts stay. Without JavaScript the pages work the same.
"use strict";
(() => {
  const main = document.querySelector("main");
  const bar = document.getElementById("live-bar");
  const button = document.getElementById("live");
  const updated = document.getElementById("live-updated");
  const trouble = document.getElementById("live-trouble");
  const KEPT = { DETAILS: ["open"], INPUT: ["value"], OPTION: ["selected"] };
  const PATIENCE = 15000;
  let paused = remembered() === "yes";
  let timer = 0;
  let asking = false;

  function remembered() {
    try { return sessionStorage.getItem("paused"); } catch { return null; }
  }

  const keyOf = (node) => (node.nodeType === 1 ? node.id || node.dataset.key || "" : "");
  const alike = (one, other) => one.nodeName === other.nodeName && keyOf(one) === keyOf(other);

  function patch(old, fresh) {
    if (old.nodeType !== 1) {
      if (old.data !== fresh.data) old.data = fresh.data;
      return;
    }
    const kept = KEPT[old.nodeName] || [];
    for (const { name } of [...old.attributes]) {
      if (!fresh.hasAttribute(name) && !kept.includes(name)) old.removeAttribute(name);
    }
    for (const { name, value } of fresh.attributes) {
      if (old.getAttribute(name) !== value && !kept.includes(name)) old.setAttribute(name, value);
    }
    const known = new Map([...old.childNodes].filter(keyOf).map((child) => [keyOf(child), child]));
    let at = old.firstChild;
    for (const wanted of [...fresh.childNodes]) {
      const found = keyOf(wanted) ? known.get(keyOf(wanted)) : at && !keyOf(at) ? at : null;
      if (!found || !alike(found, wanted)) {
        old.insertBefore(document.importNode(wanted, true), at);
        continue;
      }
      if (found === at) at = at.nextSibling;
      else old.insertBefore(found, at);
      patch(found, wanted);
    }
    while (at) {
      const next = at.nextSibling;
      at.remove();
      at = next;
    }
  }

  function show(page) {
    const focused = document.activeElement;
    patch(main, page.querySelector("main"));
    const footer = page.querySelector("footer");
    if (footer) patch(document.querySelector("footer"), footer);
    document.title = page.title;
    // A row that moved has lost the focus.
    if (focused && focused !== document.activeElement && focused.isConnected) focused.focus({ preventScroll: true });
  }

  async function refresh() {
    if (asking) return;
    asking = true;
    const asked = location.href;
    let wrong = "";
    try {
      const answer = await fetch(asked, {
        headers: { Accept: "text/html" }, cache: "no-store", signal: AbortSignal.timeout(PATIENCE),
      });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      if (asked !== location.href) wrong = trouble.textContent;
      else if (!page.querySelector("main")) wrong = "The answer is not this page.";
      else if (!answer.ok && !("anyStatus" in main.dataset)) wrong = `The server answers ${answer.status}; showing the last page.`;
      else show(page);
    } catch {
      wrong = "The server does not answer; showing the last page.";
    } finally {
      asking = false;
    }
    bar.classList.toggle("bad", wrong !== "");
    if (trouble.textContent !== wrong) trouble.textContent = wrong;
    if (!wrong) updated.textContent = new Date().toISOString().slice(11, 19);
    plan();
  }

  function plan() {
    clearTimeout(timer);
    const seconds = Number(main.dataset.refresh);
    if (!paused && seconds && !document.hidden) timer = setTimeout(refresh, seconds * 1000);
  }

  function showState() {
    button.setAttribute("aria-pressed", String(!paused));
    bar.classList.toggle("paused", paused);
  }

  button.addEventListener("click", () => {
    paused = !paused;
    try { sessionStorage.setItem("paused", paused ? "yes" : "no"); } catch { /* then the choice holds for this page only */ }
    showState();
    if (paused) plan();
    else refresh();
  });
  document.addEventListener("visibilitychange", () => (document.hidden || paused ? plan() : refresh()));

  // A search runs while it is typed.
  for (const form of document.querySelectorAll("form[data-live]")) {
    let typing = 0;
    form.addEventListener("input", () => {
      clearTimeout(typing);
      typing = setTimeout(() => {
        const given = [...new FormData(form)].filter(([, value]) => value !== "");
        const query = new URLSearchParams(given).toString();
        history.replaceState(null, "", form.getAttribute("action") + (query ? `?${query}` : ""));
        refresh();
      }, 250);
    });
  }

  if (Number(main.dataset.refresh)) {
    bar.hidden = false;
    updated.textContent = new Date().toISOString().slice(11, 19);
    showState();
    plan();
  }
})();
