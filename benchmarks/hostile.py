"""A thousand hostile uploads, names, bundles, archives and requests: nothing dies, runs, is fetched or grows.

``python benchmarks/hostile.py`` makes them from a seed, hands the files to the reader of uploads as the web
server does, the names to what shows them, the bundles and archives to what opens them, and the requests to a
web server that runs. Watched all the while: the process that asked (as the web server would) and the server
live on; the reader's child never takes more than the stated memory; no file is written outside its folder;
no program is started and no address is asked for, by an audit hook (PEP 578) in reader and asker that ends
the process at a connection, a program or an import of ``pickle`` loads; and every answer is a table or one
sentence.
"""

from __future__ import annotations

import argparse
import gzip
import inspect
import io
import json
import os
import random
import shutil
import socket
import sys
import tempfile
import time
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import psutil
import pyarrow as pa
import pyarrow.parquet as pq

from medcore.data.samples import load_sample
from medcore.errors import MedcoreError

CANARY = "canary-of-the-benchmark"
NAMES = (
    "=HYPERLINK(\"http://127.0.0.1:9/x\",\"a\")", "=cmd|'/c calc'!A0", "@SUM(1)", "<script>alert(1)</script>",
    "<img src=http://127.0.0.1:9/i.png onerror=alert(1)>", "![x](http://127.0.0.1:9/i.png)", "{{7*7}}", "${jndi:ldap://127.0.0.1/a}",
    "../../../etc/passwd", "..\\..\\boot.ini", "a\0b", "a\u202egnp.exe", "%n%n%s", "{0.__class__}", f"$(touch /tmp/{CANARY})", "`id`",
    "'; DROP TABLE studies;--", "a" * 100_000, "\ud7ff\uffff", "\N{ZERO WIDTH SPACE}", "__proto__", "constructor", "", " ", "\r\nSet-Cookie: a=b",
)  # fmt: skip


def plain(rng: random.Random, header: str | None = None, cell: str | None = None) -> pd.DataFrame:
    n = rng.randint(2, 60)
    frame = pd.DataFrame({"age": [rng.randint(20, 90) for _ in range(n)], "event": [i % 2 for i in range(n)]})
    frame[header if header is not None else "note"] = [cell if cell is not None else "x"] * n
    return frame


def as_csv(frame: pd.DataFrame) -> bytes:
    return frame.to_csv(index=False).encode("utf-8", "surrogatepass")


def as_excel(frame: pd.DataFrame) -> bytes:
    out = io.BytesIO()
    frame.map(lambda v: "".join(c for c in str(v)[:30_000] if c >= " ")).rename(
        columns=lambda c: "".join(x for x in str(c)[:200] if x >= " ")
    ).to_excel(out, index=False)
    return out.getvalue()


def as_parquet(frame: pd.DataFrame) -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.Table.from_pandas(frame, preserve_index=False), out)
    return out.getvalue()


SHEET = (
    '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>{}</sheetData></worksheet>'
)


def sheet(cells: str, *, head: str = "", more: dict[str, bytes] | None = None) -> bytes:
    made, out = io.BytesIO(as_excel(plain(random.Random(0)))), io.BytesIO()
    with zipfile.ZipFile(made) as source, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        for info in source.infolist():
            is_sheet = info.filename.startswith("xl/worksheets/")
            target.writestr(info.filename, head + SHEET.format(cells) if is_sheet else source.read(info))
        for name, data in (more or {}).items():
            target.writestr(name, data)
    return out.getvalue()


def cell(at: str, text: str) -> str:
    row = "".join(filter(str.isdigit, at))
    return f'<row r="{row}"><c r="{at}" t="inlineStr"><is><t>{text}</t></is></c></row>'


def far_cell(rng: random.Random) -> tuple[str, bytes]:
    columns = rng.choice(["XFD", "A", "ZZ", "AMJ"])
    return "far.xlsx", sheet(cell("A1", "age") + cell(f"{columns}{rng.choice([1048576, 900000, 65536])}", "1"))


def entities(rng: random.Random) -> tuple[str, bytes]:
    kind = rng.choice(["laughs", "file", "web"])
    if kind == "laughs":
        bombs = "".join(f'<!ENTITY a{i} "{f"&a{i - 1};" * 10}">' for i in range(1, 10))
        head = f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a0 "ha">{bombs}]>'
        return "laughs.xlsx", sheet(cell("A1", "&a9;"), head=head)
    place = "file:///etc/passwd" if kind == "file" else "http://127.0.0.1:9/x.dtd"
    head = f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a SYSTEM "{place}">]>'
    return "entity.xlsx", sheet(cell("A1", "age") + cell("A2", "&a;"), head=head)


def macros(rng: random.Random) -> tuple[str, bytes]:
    links = b'<externalLink xmlns="x"><externalBook r:id="http://127.0.0.1:9/book.xlsx"/></externalLink>'
    parts = {"xl/vbaProject.bin": rng.randbytes(2000), "xl/externalLinks/externalLink1.xml": links}
    return rng.choice(["macro.xlsm", "link.xlsx"]), sheet(cell("A1", "age") + cell("A2", "5"), more=parts)


def size(rng: random.Random) -> int:
    """Return a number of rows: mostly small, for each large one takes the reader to its limits of seconds."""
    return 60_000_000 if rng.random() < 0.02 else rng.choice([10, 1_000, 100_000])


def zip_bomb(rng: random.Random) -> tuple[str, bytes]:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        name = rng.choice(["table.csv", "../../out.csv", "/etc/cron.d/x.csv", f"{CANARY}.csv", "a/b/c/table.csv"])
        archive.writestr(name, b"age,event\n" + b"1,0\n" * size(rng))
        if rng.random() < 0.3:
            inner = io.BytesIO()
            with zipfile.ZipFile(inner, "w") as more:
                more.writestr("deep.csv", b"1")
            archive.writestr("inner.zip", inner.getvalue())
    return "table.zip", out.getvalue()


def gz_bomb(rng: random.Random) -> tuple[str, bytes]:
    return "table.csv.gz", gzip.compress(b"age,event\n" + b"1,0\n" * size(rng), 1)


def wide_parquet(rng: random.Random) -> tuple[str, bytes]:
    rows = rng.choice([1_000, 10_000_000, 100_000_000])
    column = pa.DictionaryArray.from_arrays(pa.array(np.zeros(1000, np.int8)), pa.array(["x"]))
    out = io.BytesIO()
    table = pa.table({f"c{i}": column for i in range(rng.choice([3, 60]))})
    with pq.ParquetWriter(out, table.schema, compression="zstd") as writer:
        for _ in range(min(rows // 1000, 300)):
            writer.write_table(table)
    return "wide.parquet", out.getvalue()


def nested_parquet(rng: random.Random) -> tuple[str, bytes]:
    value: Any = rng.choice([{"a": {"b": [1, 2]}}, [[1], [2]], b"\0\xff", {"t": "t"}])
    table = pa.table({"age": [1, 2, 3], "nested": [value] * 3}, metadata={b"pandas": rng.randbytes(200).hex().encode()})
    out = io.BytesIO()
    pq.write_table(table, out)
    return "nested.parquet", out.getvalue()


def damaged(rng: random.Random) -> tuple[str, bytes]:
    make, end = rng.choice([(as_csv, "csv"), (as_excel, "xlsx"), (as_parquet, "parquet")])
    data = bytearray(make(plain(rng)))
    for _ in range(rng.randint(1, 40)):
        data[rng.randrange(len(data))] = rng.randrange(256)
    return f"damaged.{end}", bytes(data[: rng.randint(len(data) // 3, len(data))])


def named(rng: random.Random) -> tuple[str, bytes]:
    make, end = rng.choice([(as_csv, "csv"), (as_excel, "xlsx"), (as_parquet, "parquet")])
    header, value, file = rng.choice(NAMES), rng.choice(NAMES), rng.choice(NAMES)
    return f"{file[:200]}.{end}".replace("\0", ""), make(plain(rng, header, value[:5000]))


def strange_text(rng: random.Random) -> tuple[str, bytes]:
    kind = rng.randrange(6)
    data = {
        0: b"a,b\n" + b'"' * rng.randint(1, 200_000),
        1: b",".join([b"c"] * rng.choice([100, 20_000, 300_000])) + b"\n",
        2: b"age,event\n" + b"9" * rng.choice([400, 90_000]) + b",1\n" * 3,
        3: rng.randbytes(rng.randint(0, 200_000)),
        4: "age,结局\n1,男\n".encode("utf-16") + rng.randbytes(rng.randint(0, 9)),
        5: b"\n" * rng.choice([1, 2_000_000]),
    }[kind]
    return rng.choice(["t.csv", "t.tsv", "t.txt", "t"]), data


def disguised(rng: random.Random) -> tuple[str, bytes]:
    pickle = b"\x80\x04\x95\x1f\x00\x00\x00\x00\x00\x00\x00\x8c\x05posix\x94\x8c\x06system\x94\x93\x94\x8c\x04true\x94\x85\x94R\x94."
    heads = [
        pickle,
        b"%PDF-1.7\n",
        b"\x7fELF",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        b"SQLite format 3\0",
        b"PAR1",
        b"\x89HDF\r\n\x1a\n",
        b"#!/bin/sh\ntouch /tmp/canary-of-the-benchmark\n",
    ]
    return f"table.{rng.choice(['csv', 'xlsx', 'xls', 'parquet', 'sav', 'dta', 'sas7bdat', 'pkl', 'ods'])}", rng.choice(
        heads
    ) + rng.randbytes(500)


UPLOADS: tuple[Callable[[random.Random], tuple[str, bytes]], ...] = (
    far_cell, entities, macros, zip_bomb, gz_bomb, wide_parquet, nested_parquet, damaged, named, strange_text, disguised,
)  # fmt: skip


def hook(event: str, arguments: tuple[Any, ...]) -> None:
    """End the process at what no table may cause: a connection, a program, a pickle that names one."""
    programs = {"posix", "nt", "os", "subprocess", "socket", "sys", "runpy", "webbrowser"}
    if event == "socket.connect":
        wrong = isinstance(arguments[1], tuple)  # an address; the reader's own pipe is a path
    elif event == "pickle.find_class":
        wrong = arguments[0] in programs
    else:
        wrong = event in {"subprocess.Popen", "os.system", "os.exec", "os.posix_spawn"}
    if wrong:
        with Path(os.environ["HOSTILE_REPORT"]).open("a") as report:
            report.write(f"{event} {str(arguments)[:200]}\n")
        os._exit(97)


class Watch:
    """The most memory of any child, in bytes, looked at every 20 ms."""

    def __init__(self) -> None:
        import threading

        self.most, self.stopped = 0, threading.Event()
        self.thread = threading.Thread(target=self.look, daemon=True)
        self.thread.start()

    def look(self) -> None:
        """Look until it is stopped."""
        me = psutil.Process()
        while not self.stopped.wait(0.02):
            for child in me.children(recursive=True):
                try:
                    self.most = max(self.most, child.memory_info().rss)
                except psutil.Error:
                    continue


def uploads(n: int, seed: int) -> dict[str, Any]:
    """Read every upload as the web server does."""
    from medcore.jobs.web.uploads import MEMORY_BYTES, be_ready, read_upload

    be_ready()
    watch, answers, slowest = Watch(), Counter[str](), 0.0
    by_kind: Counter[str] = Counter()
    unclear = []
    for number in range(n):
        make = UPLOADS[number % len(UPLOADS)]
        name, data = make(random.Random(seed * 100_003 + number))
        began = time.monotonic()
        try:
            read_upload(name, data)
            answers["table"] += 1
        except MedcoreError as error:
            answers["one sentence"] += 1
            if "Traceback" in str(error) or CANARY in str(error):
                unclear.append(str(error))
        except BaseException as error:
            answers[f"{type(error).__name__} in {make.__name__}"] += 1
        by_kind[make.__name__] += 1
        if os.environ.get("HOSTILE_LOUD"):
            print(number, make.__name__, len(data), round(time.monotonic() - began, 1), dict(answers), flush=True)
        slowest = max(slowest, time.monotonic() - began)
    watch.stopped.set()
    return {
        "uploads": n, "answers": dict(answers), "kinds": dict(by_kind), "most memory of a reader MB": round(watch.most / 1e6),
        "stated MB": round(MEMORY_BYTES / 1e6), "slowest s": round(slowest, 1), "unclear": unclear,
    }  # fmt: skip


def bundles(n: int, seed: int, folder: Path) -> dict[str, Any]:
    """Change a bundle in one place and open it."""
    from medcore.cli import main as shell
    from medcore.models.bundle.bundle import load_bundle

    table = folder / "heart.csv"
    load_sample("heart").frame.to_csv(table, index=False)
    target = load_sample("heart").schema.outcome
    assert target is not None
    assert shell(["train", str(table), "--target", target.name, "--model", "logistic", "--out", str(folder / "b")]) == 0
    load_bundle(folder / "b")  # as it was made it opens
    answers: Counter[str] = Counter()
    for number in range(n):
        rng = random.Random(seed + number)
        copy = folder / f"b{number}"
        shutil.copytree(folder / "b", copy)
        files = sorted(p for p in copy.rglob("*") if p.is_file())
        victim = rng.choice(files)
        change = rng.randrange(6)
        if change == 0:
            data = bytearray(victim.read_bytes())
            data[rng.randrange(len(data))] ^= 1 + rng.randrange(255)
            victim.write_bytes(data)
        elif change == 1:
            victim.write_bytes(victim.read_bytes()[: victim.stat().st_size // 2])
        elif change == 2:
            victim.unlink()
        elif change == 3:
            (victim.parent / rng.choice(["x.pkl", "more.npy", "evil.py"])).write_bytes(rng.randbytes(90))
        elif change == 4:
            victim.unlink()
            victim.symlink_to("/etc/hostname")
        else:
            manifest = copy / "manifest.json"
            told = json.loads(manifest.read_text())
            key = rng.choice(sorted(told))
            told[key] = rng.choice([None, -1, "../../x", [], {}, 1e308, "x" * 10_000])
            manifest.write_text(json.dumps(told))
        try:
            load_bundle(copy)
            answers["opened"] += 1
        except MedcoreError:
            answers["one sentence"] += 1
        except Exception as error:
            answers[f"{type(error).__name__} (change {change}, {victim.name})"] += 1
        shutil.rmtree(copy)
    return {"bundles": n, "answers": dict(answers)}


def requests(n: int, seed: int, folder: Path) -> dict[str, Any]:
    """Send a running web server addresses, headers and websocket messages that no browser sends."""
    sys.path.insert(0, str(Path(__file__).parent))
    from load import free_port, start_server

    from medcore import jobs
    from medcore.settings import Settings

    os.environ["MEDCORE_DATA"] = str(folder / "data")
    port = free_port()
    server = start_server(port)
    answers: Counter[str] = Counter()
    try:
        for number in range(n):
            rng = random.Random(seed + number)
            name = (
                rng.choice(NAMES)[:4000]
                .replace("\r", "%0d")
                .replace("\n", "%0a")
                .replace(" ", "%20")
                .replace("\0", "%00")
            )
            path = rng.choice(
                [
                    "/{}",
                    "/?study={}",
                    "/_stcore/{}",
                    "/static/{}",
                    "/media/{}",
                    "/component/{}",
                    "/../{}",
                    "//{}",
                    "/evaluate?study={}&lang={}",
                ]
            )
            host = rng.choice([f"localhost:{port}"] * 4 + ["evil.example", "", "localhost\t"])
            line = (
                rng.choice(["GET", "GET", "POST", "PUT", "DELETE", "TRACE", "G" * 3000])
                + " "
                + path.replace("{}", name)
                + " HTTP/1.1"
            )
            more = rng.choice(
                [
                    "",
                    "Origin: http://evil.example\r\n",
                    "Cookie: medcore_owner=local.x\r\n",
                    f"X: {'y' * rng.choice([10, 100_000])}\r\n",
                    "Content-Length: -1\r\n",
                    "Transfer-Encoding: chunked\r\n",
                    "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n",
                ]
            )
            with socket.create_connection(("127.0.0.1", port), timeout=20) as link:
                try:
                    link.sendall(
                        f"{line}\r\nHost: {host}\r\n{more}Connection: close\r\n\r\n".encode("utf-8", "surrogatepass")
                        + rng.randbytes(rng.choice([0, 50]))
                    )
                    answer = link.recv(200)
                except OSError:
                    answer = b""
            answers[answer[9:12].decode("latin-1") if answer.startswith(b"HTTP") else "closed"] += 1
        alive = server.poll() is None
        with socket.create_connection(("127.0.0.1", port), timeout=20) as link:
            link.sendall(
                f"GET /_stcore/health HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: close\r\n\r\n".encode()
            )
            alive = alive and b"200" in link.recv(100)
        memory = psutil.Process(server.pid).memory_info().rss
    finally:
        server.terminate()
        server.wait()
        jobs.stop_local_cluster(Settings.from_env())
    return {"requests": n, "answers": dict(answers), "server lives": alive, "server MB": round(memory / 1e6)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--uploads", type=int, default=600)
    parser.add_argument("--bundles", type=int, default=200)
    parser.add_argument("--requests", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ |= {
            "MEDCORE_DATA": str(folder / "data"),
            "HOSTILE_REPORT": str(folder / "report"),
            "TF_CPP_MIN_LOG_LEVEL": "3",
        }
        found: dict[str, Any] = {}
        if options.requests:
            found["requests"] = requests(options.requests, options.seed, folder)
        if options.bundles:
            found["bundles"] = bundles(options.bundles, options.seed, folder)
        (folder / "site").mkdir()
        if options.uploads:
            watch_readers(folder / "site")
            found["uploads"] = uploads(options.uploads, options.seed)
        report = folder / "report"
        found["executed or fetched"] = report.read_text().splitlines() if report.exists() else []
        found["written outside"] = [str(p) for p in _outside()]
    found["load of the machine"] = [round(x, 1) for x in os.getloadavg()]
    times = os.times()
    found["processor seconds"] = round(times.user + times.system + times.children_user + times.children_system)
    print(json.dumps(found, indent=1, ensure_ascii=False))


def watch_readers(folder: Path) -> None:
    """Put the hook into every reader too: Python runs ``sitecustomize`` at its start."""
    imports = "import os, sys\nfrom pathlib import Path\nfrom typing import Any\n"
    (folder / "sitecustomize.py").write_text(f"{imports}\n{inspect.getsource(hook)}\nsys.addaudithook(hook)\n")
    os.environ["PYTHONPATH"] = os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")])


def _outside() -> Iterator[Path]:
    """Name what an archive or a name has put where it may not."""
    for folder in (Path(tempfile.gettempdir()), Path.cwd(), Path.home(), Path("/")):
        yield from (path for name in (f"{CANARY}*", "out.csv") for path in folder.glob(name))
    yield from (path for path in (Path("/etc/cron.d/x.csv"),) if path.exists())


if __name__ == "__main__":
    main()
