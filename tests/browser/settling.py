"""When a page is drawn: what it asked the server for was answered to the end, and nothing more came for a moment.

Chromium is told of every run that a page asks for and that the server begins and ends, so that nobody waits longer than
that, and nobody looks before it where the machine is busy.
"""

from __future__ import annotations

import time

from playwright.sync_api import Error, Page

LISTEN = """(() => {
  const runs = window.mcRuns = {asked: 0, begun: false, last: performance.now()};
  const RERUN = 11, NEW_SESSION = 4, SCRIPT_FINISHED = 6, EARLY_FOR_RERUN = 2;  // fields of streamlit/proto
  const size = bytes => { let at = 0, value = 0, shift = 0;  // a number of protobuf at the front, and how long it is
    do { value += (bytes[at] & 127) * 2 ** shift; shift += 7; } while (bytes[at++] & 128);
    return [value, at]; };
  const field = bytes => {  // the first field that says what a message is, and its number if it is one
    while (bytes.length) {
      const [tag, after] = size(bytes); bytes = bytes.subarray(after);
      const [value, long] = size(bytes), name = tag >> 3;
      if (name > 3) return [name, value];  // before it come its hash and what is told of it
      bytes = bytes.subarray(tag % 8 === 2 ? long + value : long);
    }
    return [0, 0]; };
  const told = data => {
    const [name, value] = field(new Uint8Array(data));
    runs.last = performance.now();
    if (name === NEW_SESSION && runs.asked) runs.begun = true;
    if (name === SCRIPT_FINISHED && value !== EARLY_FOR_RERUN && runs.begun) { runs.asked = 0; runs.begun = false; }
  };
  window.WebSocket = class extends WebSocket {
    constructor(...given) { super(...given); this.addEventListener('message', e => e.data instanceof ArrayBuffer && told(e.data)); }
    send(data) {
      if (typeof data !== 'string' && field(new Uint8Array(data.buffer || data, data.byteOffset || 0, data.byteLength))[0] === RERUN) {
        runs.asked += 1; runs.begun = false; runs.last = performance.now(); }
      super.send(data);
    }
  };
  new MutationObserver(() => { runs.last = performance.now(); })
    .observe(document, {subtree: true, childList: true, characterData: true});
})()"""
"""Before anything else of a page: count what it asks the server for, and note when anything came or was drawn."""
QUIET_MS, ENOUGH_MS, LOOK_MS = 100, 300, 20
"""So long nothing comes or is drawn; so long at most it is waited for, once the server has ended: what moves for ever stops nobody."""
SETTLED = f"""patience => new Promise(done => {{
  const began = performance.now(), runs = window.mcRuns;
  let idle = 0;
  const look = () => {{
    const app = document.querySelector('[data-testid=stApp][data-test-script-state=notRunning]');
    const main = document.querySelector('[data-testid=stMain]'), now = performance.now();
    const drawn = app && main && main.checkVisibility({{visibilityProperty: true}}) && !runs.asked;
    idle = drawn ? idle || now : 0;
    if (drawn && (now - Math.max(runs.last, began) >= {QUIET_MS} || now - idle >= {ENOUGH_MS})) done('');
    else if (now - began > patience) done(`${{runs.asked}} runs asked for, ${{runs.begun ? '' : 'not '}}begun; ` +
      `${{document.querySelector('[data-testid=stApp]')?.dataset.testScriptState}}; the page ${{main ? 'is' : 'is not'}} there`);
    else setTimeout(look, {LOOK_MS});
  }};
  look();
}})"""
"""Wait until the page is drawn, which is hidden until all of it is there (its stylesheet); say what is missing."""


def settle(page: Page, patience_ms: float) -> None:
    """Wait until the page is drawn and stays so for a moment."""
    end = time.monotonic() + patience_ms / 1000
    while True:
        try:
            missing = page.evaluate(SETTLED, 1000 * (end - time.monotonic()))
        except Error as left:  # for another document, whose own page is then waited for
            if "navigat" not in str(left) and "destroyed" not in str(left):
                raise
            page.wait_for_load_state("domcontentloaded")
        else:
            assert not missing, f"The page is not drawn: {missing}."
            return
