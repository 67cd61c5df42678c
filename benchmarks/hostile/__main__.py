"""A thousand hostile uploads, names, bundles and requests: nothing dies, runs, is fetched or grows.

``python benchmarks/hostile`` makes them from a seed, hands the files to the reader of uploads as the web
server does, the names to the pages that show them, the bundles to what opens them, and addresses and
websocket messages to a web server that runs. Watched all the while: the process that asked (as the web
server would) and the server live on; the reader's child never takes more than the stated memory; no file
is written outside its folder; no program is started and no address is asked for, by audit hooks (PEP 578)
in readers and server; and every answer is a table or one sentence.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).resolve().parent.parent))

from bundles import bundles
from installation import installation, web_server
from uploads import uploads
from watching import hook, outside, put_into_children, reported, tell
from web import lives, messages, names, requests

from medcore.settings import Settings


def against_the_server(settings: Settings, options: argparse.Namespace) -> dict[str, Any]:
    with web_server(settings) as (server, host):
        found = {
            "requests": requests(options.requests, options.seed, host),
            "messages": messages(options.messages, options.seed, settings, host),
            "names": names(options.names, options.seed, settings, host),
        }
        return found | lives(host, server.pid)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--uploads", type=int, default=550)
    parser.add_argument("--bundles", type=int, default=150)
    parser.add_argument("--requests", type=int, default=150)
    parser.add_argument("--messages", type=int, default=100)
    parser.add_argument("--names", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    found: dict[str, Any] = {}
    with installation() as settings:
        folder = settings.data_dir.parent
        report = folder / "report"
        os.environ |= {"HOSTILE_REPORT": str(report), "TF_CPP_MIN_LOG_LEVEL": "3"}
        if options.requests or options.messages or options.names:
            put_into_children(tell, folder / "site")
            found |= against_the_server(settings, options)
        if options.bundles:
            found["bundles"] = bundles(options.bundles, options.seed, folder)
        if options.uploads:
            put_into_children(hook, folder / "site")
            found["uploads"] = uploads(options.uploads, options.seed)
        found["executed or fetched"], found["written outside"] = reported(report), [str(p) for p in outside()]
    found["load of the machine"] = [round(x, 1) for x in os.getloadavg()]
    times = os.times()
    found["processor seconds"] = round(times.user + times.system + times.children_user + times.children_system)
    print(json.dumps(found, indent=1, ensure_ascii=False))


if __name__ == "__main__":
    main()
