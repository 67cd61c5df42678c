"""What a browser is asked about a page: is anything cut, overlapping, sideways, moving, or hard to reach."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import axe_playwright_python
from playwright.sync_api import Page

AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
WATCH_SHIFTS = """window.mcShift = 0; new PerformanceObserver(list => {
  for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.mcShift += entry.value;
}).observe({type: 'layout-shift', buffered: true})"""
BOXES = """() => {
  const main = document.querySelector('.stMain'), faults = [];
  if (main.scrollWidth > main.clientWidth) faults.push('scrolls sideways');
  if (document.documentElement.scrollWidth > innerWidth) faults.push('page wider than the window');
  const walker = document.createTreeWalker(main, NodeFilter.SHOW_TEXT), texts = [], flows = new Map();
  const flow = e => { let f = flows.get(e);  // of many texts in one box the box is asked once
    if (!f) { const s = getComputedStyle(e); flows.set(e, f = [s.overflowX, s.overflowY]); }
    return f; };
  const scrolls = e => { for (; e && e !== main; e = e.parentElement) {
    const x = flow(e)[0]; if ((x === 'auto' || x === 'scroll') && e.scrollWidth > e.clientWidth) return e; } };
  while (walker.nextNode()) {
    const node = walker.currentNode, e = node.parentElement, text = node.textContent.trim();
    if (!text || e.closest('svg, style, script, .stDataFrame, [aria-hidden=true], [data-testid=stIconMaterial], [role=tooltip]')) continue;
    if (!e.checkVisibility({visibilityProperty: true, opacityProperty: true})) continue;
    const range = document.createRange(); range.selectNodeContents(node);
    for (const {left, right, top, bottom} of range.getClientRects())
      if (right - left > 1 && bottom - top > 1) texts.push({left, right, top, bottom, e, text: text.slice(0, 40)});
    for (let box = e; box && box !== main; box = box.parentElement) {
      const [x, y] = flow(box);
      if (x === 'visible' && y === 'visible') continue;
      if (x === 'auto' || x === 'scroll') break;
      const own = range.getBoundingClientRect(), b = box.getBoundingClientRect();
      if (own.right > b.right + 2 || own.bottom > b.bottom + 3) faults.push('cut: ' + text.slice(0, 60));
      break;
    }
  }
  texts.forEach((a, place) => a.place = place);
  const down = [...texts].sort((a, b) => a.top - b.top);
  for (let i = 0; i < down.length; i++) for (let j = i + 1; j < down.length && down[j].top < down[i].bottom - 5; j++) {
    const [a, b] = down[i].place < down[j].place ? [down[i], down[j]] : [down[j], down[i]];
    if (Math.min(a.right, b.right) - Math.max(a.left, b.left) <= 3) continue;
    if (Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) <= 5) continue;
    if (!a.e.contains(b.e) && !b.e.contains(a.e) && scrolls(a.e) === scrolls(b.e)) faults.push('overlap: ' + a.text + ' | ' + b.text);
  }
  for (const error of document.querySelectorAll('.mc-error')) faults.push('fails: ' + error.textContent.slice(0, 80));
  for (const chart of document.querySelectorAll('.stPlotlyChart'))
    if ((chart.getAttribute('aria-label') || '').length < 8) faults.push('chart without words');  // Chinese has no blanks
  return [...new Set(faults)];
}"""

PATIENCE_MS = 180_000
"""How long a page may take to take up another width or other colours, beside whatever else the machine does."""
LOOKS_AGAIN = 25
"""How often a page is looked at again, 400 ms apart, before something in it is said to be at fault."""
FORMED = """([width, dark, patience]) => new Promise(done => {
  let last, same = 0;
  const began = performance.now();
  const look = () => {
    const main = document.querySelector('.stMain'), charts = [...document.querySelectorAll('.stPlotlyChart')];
    const drawn = charts.map(c => c.querySelector('.main-svg')), app = document.querySelector('.stApp');
    const ground = getComputedStyle(app).backgroundColor;
    const now = [main.scrollHeight, main.scrollWidth, ground, drawn.map(c => c && c.getAttribute('width') + c.textContent.length)].join();
    // Another colour has the server draw the page again, another width has each chart draw itself anew.
    const told = !window.mcRuns.asked && app.dataset.testScriptState === 'notRunning';
    const fits = drawn.every((c, i) => c && Math.abs(c.getAttribute('width') - charts[i].clientWidth) < 2);
    const asked = innerWidth === width && (parseInt(ground.match(/[0-9]+/)) < 128) === dark;
    same = asked && told && fits && now === last ? same + 1 : 0; last = now;
    if (same === 2) done(''); else if (performance.now() - began > patience) done([asked, told, fits, now].join(' | ')); else setTimeout(look, 25);
  };
  look();
})"""


def formed(page: Page, width: int, scheme: Literal["light", "dark"]) -> None:
    """Give the page another width and colour scheme where it stands, and wait until it has taken them up."""
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 900 if width > 500 else 844})
    missing = page.evaluate(FORMED, [width, scheme == "dark", PATIENCE_MS])
    assert not missing, f"The page does not settle at {width} pixels, {scheme}: {missing}"


def boxes(page: Page) -> list[str]:
    """Return what is cut, overlaps or scrolls sideways, and charts that say nothing to who cannot see them."""
    faults: list[str] = page.evaluate(BOXES)
    for _again in range(LOOKS_AGAIN):  # a table or chart may still be taking up its new width
        if not faults:
            break
        page.wait_for_timeout(400)
        faults = page.evaluate(BOXES)
    return faults


def violations(page: Page, *, rules: tuple[str, ...] = ()) -> list[str]:
    """Return what axe finds serious or critical, with the first place of each."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE)
    # Nothing need be fetched for it before: that is for rules about audio, which no page plays.
    options: dict[str, Any] = {"resultTypes": ["violations"], "preload": False}
    if rules:
        options["runOnly"] = {"type": "rule", "values": list(rules)}
    found = page.evaluate("options => axe.run(document, options)", options)
    loud = (v for v in found["violations"] if v["impact"] in ("serious", "critical"))
    return [f"{v['id']}: {v['nodes'][0]['html'][:160]}" for v in loud]
