"""What no part of kg may do: run what it reads, or speak to the network unasked."""

import ast
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "kg"

#: Modules that make objects, or code, of bytes.
UNSAFE_MODULES = {
    "pickle",
    "_pickle",
    "marshal",
    "shelve",
    "dill",
    "cloudpickle",
    "joblib",
    "jsonpickle",
}
#: Built-in functions that run a text.
UNSAFE_BUILTINS = {"eval", "exec", "compile", "__import__"}
UNSAFE_YAML = {"unsafe_load", "unsafe_load_all", "full_load", "full_load_all"}
SAFE_LOADERS = {"SafeLoader", "CSafeLoader", "BaseLoader", "CBaseLoader"}


def _last(node: ast.expr | None) -> str:
    """Return the last name of ``a.b.c``, or nothing."""
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def _imported(node: ast.AST) -> list[str]:
    """Return the modules that a statement or a call of ``import_module`` imports."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        return [node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)]
    if isinstance(node, ast.Call) and _last(node.func) == "import_module":
        return [
            a.value for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, str)
        ]
    return []


def _unsafe_call(call: ast.Call) -> bool:
    name, owner = _last(call.func), ""
    if isinstance(call.func, ast.Attribute):
        owner = _last(call.func.value)
    given = {keyword.arg: keyword.value for keyword in call.keywords}
    if name in UNSAFE_BUILTINS and owner in ("", "builtins"):
        return isinstance(call.func, ast.Name) or owner == "builtins"
    if owner == "yaml" and name in ("load", "load_all"):
        loader = given.get("Loader") or (call.args[1] if len(call.args) > 1 else None)
        return _last(loader) not in SAFE_LOADERS
    if name in UNSAFE_YAML:
        return True
    if name == "YAML":
        # ruamel.yaml: "rt" and "safe" make plain values only, "unsafe" makes objects.
        typ = given.get("typ") or (call.args[0] if call.args else ast.Constant("rt"))
        return not (isinstance(typ, ast.Constant) and typ.value in ("rt", "safe"))
    if owner in ("np", "numpy") and name == "load":
        allowed = given.get("allow_pickle")
        return not (isinstance(allowed, ast.Constant) and allowed.value is False)
    return False


def unsafe(source: str) -> list[int]:
    """Return the lines of a program that could run what they are given."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        modules = {name.partition(".")[0] for name in _imported(node)}
        named = {part for name in _imported(node) for part in name.split(".")[1:]}
        bad = modules & UNSAFE_MODULES or (modules == {"builtins"} and named & UNSAFE_BUILTINS)
        if bad or (isinstance(node, ast.Call) and _unsafe_call(node)):
            found.add(node.lineno)  # type: ignore[attr-defined]
    return sorted(found)


@pytest.mark.parametrize(
    "line",
    [
        *(
            "import pickle",
            "import json, pickle as p",
            "from pickle import loads",
            "import marshal",
        ),
        *("import shelve", "from joblib import load", "importlib.import_module('pickle')"),
        *("eval(text)", "exec(text)", "compile(text, 'f', 'exec')", "__import__(name)"),
        *("builtins.eval(text)", "from builtins import exec"),
        *("yaml.load(text)", "yaml.load(text, Loader=yaml.Loader)", "yaml.load(text, Loader)"),
        *("yaml.load_all(text, Loader=yaml.FullLoader)", "yaml.unsafe_load(text)"),
        *(
            "yaml.full_load(text)",
            "YAML(typ='unsafe')",
            "YAML(typ=kind)",
            "ruamel.yaml.YAML('unsafe')",
        ),
        *("np.load(file)", "np.load(file, allow_pickle=True)"),
    ],
)
def test_the_law_sees_what_runs_a_text(line: str) -> None:
    assert unsafe(f"x = 1\ndef f():\n    {line}\n") == [3]


@pytest.mark.parametrize(
    "line",
    [
        *("import json", "from kg.pickles import pickle_of", "re.compile(text)", "model.eval()"),
        *("cursor.exec(text)", "yaml.load(text, Loader=yaml.SafeLoader)", "yaml.safe_load(text)"),
        *(
            "yaml.load(text, CSafeLoader)",
            "YAML()",
            "YAML(typ='safe', pure=True)",
            "YAML(typ='rt')",
        ),
        *("json.load(file)", "np.load(file, allow_pickle=False)", "create_subprocess_exec(name)"),
    ],
)
def test_the_law_lets_the_harmless_pass(line: str) -> None:
    assert unsafe(line) == []


@pytest.mark.parametrize(
    "path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: path.relative_to(PACKAGE).as_posix()
)
def test_no_module_runs_what_it_reads(path: Path) -> None:
    assert unsafe(path.read_text(encoding="utf-8")) == []


#: Every Python process runs this before all else.  It keeps a list of the processes it guards and
#: of the addresses that they wanted, since whoever is refused may keep that to himself.
GUARD = """
import ipaddress, os, sys

def _note(line):
    with open(os.environ["OFFLINE_LOG"], "a", encoding="utf-8") as log:
        log.write(line + "\\n")

def _is_here(host):
    host = host.decode() if isinstance(host, bytes) else host
    if host in (None, "", "localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False

def _watch(event, arguments):
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        address = arguments[1]
        if not isinstance(address, tuple) or _is_here(address[0]):  # a path is this machine's
            return
        wanted = address[0]
    elif event in ("socket.getaddrinfo", "socket.gethostbyname"):
        if _is_here(arguments[0]):
            return
        wanted = arguments[0]
    else:
        return
    _note(f"wanted {wanted}")
    raise OSError(f"the network is shut off: {wanted}")

_note("guarded")
sys.addaudithook(_watch)
"""


class Offline:
    """Runs Python where nothing but this machine can be reached."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "guard").mkdir()
        (folder / "guard" / "sitecustomize.py").write_text(GUARD, encoding="utf-8")
        self._log = folder / "log"

    def run(self, *arguments: str) -> "tuple[subprocess.CompletedProcess[str], list[str]]":
        """Run ``python ARGUMENTS``; return how it went, and what the guard wrote."""
        self._log.write_text("", encoding="utf-8")
        path = os.pathsep.join((str(self.folder / "guard"), str(ROOT)))
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": path, "OFFLINE_LOG": str(self._log)},
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=600,
        )
        return done, self._log.read_text(encoding="utf-8").splitlines()


@pytest.fixture(scope="module")
def offline(tmp_path_factory: pytest.TempPathFactory) -> Offline:
    return Offline(tmp_path_factory.mktemp("offline"))


# 192.0.2.1 is set apart for documentation and .invalid for names that lead nowhere.
OUTWARD = {
    "connect": ("socket.socket().connect(('192.0.2.1', 80))", "192.0.2.1"),
    "connect_ex": ("socket.socket().connect_ex(('192.0.2.1', 80))", "192.0.2.1"),
    "datagram": (
        "socket.socket(type=socket.SOCK_DGRAM).sendto(b'', ('192.0.2.1', 53))",
        "192.0.2.1",
    ),
    "name": ("socket.getaddrinfo('kg.invalid', 80)", "kg.invalid"),
    "page": ("urllib.request.urlopen('http://kg.invalid/')", "kg.invalid"),
}


@pytest.mark.parametrize("way", OUTWARD)
def test_the_guard_stops_and_notes_every_way_out(offline: Offline, way: str) -> None:
    program, wanted = OUTWARD[way]
    done, log = offline.run("-c", f"import socket, urllib.request\n{program}")
    assert f"the network is shut off: {wanted}" in done.stderr
    assert (done.returncode, log) == (1, ["guarded", f"wanted {wanted}"])


def test_the_guard_holds_children_too_and_lets_loopback_through(offline: Offline) -> None:
    child = "import socket; socket.socket().connect(('192.0.2.1', 80))"
    done, log = offline.run(
        "-c", f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {child!r}])"
    )
    assert (done.returncode, log) == (0, ["guarded", "guarded", "wanted 192.0.2.1"])
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        done, log = offline.run(
            "-c", f"import socket; socket.create_connection(('localhost', {port}))"
        )
    assert (done.returncode, log) == (0, ["guarded"]), done.stderr


def test_build_query_export_explore_and_lineage_need_no_network(offline: Offline) -> None:
    question = "SELECT ?s WHERE { ?s mlkg:distilledFrom ?o }"
    for command in (
        ["build", str(PACKAGE / "docs" / "sample"), "-o", "out"],
        ["query", "out", question],
        ["export", "out", "--to", "trig", "-o", "graph.trig"],
        ["explore", "out", "--focus", "DistilBERT", "-o", "part.html"],
        ["lineage", "out", "DistilBERT"],
    ):
        done, log = offline.run("-m", "kg", *command)
        assert done.returncode == 0, done.stderr
        # Each process was watched, a query's worker too, and none wanted anything.
        assert log == ["guarded"] * (2 if command[0] == "query" else 1)
