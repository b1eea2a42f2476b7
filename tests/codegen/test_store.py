"""Damaged and unwritable caches: each heals, and nothing damaged is ever loaded."""

from __future__ import annotations

import errno
import os
import pickle
import re
import resource
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from numba import config

from nnjit.autodiff import trace
from nnjit.codegen import Compiled, compile_graph
from nnjit.codegen.library import compiled as library
from nnjit.codegen.numba import cache, store
from nnjit.errors import UserError
from nnjit.ir import Graph, array_type

pytestmark = pytest.mark.exact  # compares values at exact inputs

needs_jit = pytest.mark.skipif(config.DISABLE_JIT, reason="nothing is compiled")
X = np.arange(3.0)


def graph_of(factor: float) -> Graph:
    """A graph whose number makes its source unique among tests."""
    return trace(lambda x: x * factor, [array_type("f64", (3,))])


def call_fresh(factor: float = 401.0) -> tuple[Compiled, np.ndarray]:
    """Load a program anew, as in another process; return it and its results."""
    cache._modules.clear()
    compiled = compile_graph(graph_of(factor))
    return compiled, compiled(X)[0]


def hits(compiled: Compiled) -> int:
    """Count the functions of a program that were loaded from the cache."""
    return sum(compiled._run.stats.cache_hits.values())  # type: ignore[attr-defined]  # a dispatcher


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A cache with the files of two programs."""
    folder = tmp_path_factory.mktemp("whole")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(store.VARIABLE, str(folder))
        call_fresh(401.0)
        call_fresh(402.0)
    yield folder
    cache._modules.clear()


@pytest.fixture
def folder(whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Use a copy of that cache, with no warning given before."""
    copy = Path(shutil.copytree(whole, tmp_path / "kernels"))
    copy.chmod(0o700)
    monkeypatch.setenv(store.VARIABLE, str(copy))
    store._warn.cache_clear()
    return copy


def file_of(folder: Path, end: str, factor: float = 401.0) -> Path:
    """The file of a program with this suffix."""
    (source,) = (p for p in folder.glob("*.py") if str(factor) in p.read_text(encoding="utf-8"))
    (path,) = folder.glob(f"{source.stem}*{end}")
    return path


def change(index: int) -> Callable[[Path], None]:
    """Flip one bit of the byte at an index."""

    def flip(path: Path) -> None:
        data = bytearray(path.read_bytes())
        data[index] ^= 4
        path.write_bytes(data)

    return flip


def replace_by_folder(path: Path) -> None:
    path.unlink()
    (path / "inside").mkdir(parents=True)
    (path / "inside" / "file").write_text("text", encoding="utf-8")


def replace_by(make: Callable[[Path], None]) -> Callable[[Path], None]:
    def replace(path: Path) -> None:
        path.unlink()
        make(path)

    return replace


def swap(path: Path) -> None:
    """Replace a file with the other program's: complete, and with a correct checksum."""
    shutil.copyfile(file_of(path.parent, path.suffix, 402.0), path)


DAMAGES: dict[str, Callable[[Path], None]] = {
    "emptied": lambda path: path.write_bytes(b"") and None,
    "cut to a half": lambda path: os.truncate(path, path.stat().st_size // 2),
    "cut by a byte": lambda path: os.truncate(path, path.stat().st_size - 1),
    "cut in the checksum": lambda path: os.truncate(path, 20),
    "longer": lambda path: path.write_bytes(path.read_bytes() + b"\0") and None,
    "zeros": lambda path: path.write_bytes(bytes(path.stat().st_size)) and None,
    "a bit of the first byte": change(0),
    "a bit of the checksum": change(12),
    "a bit in the middle": change(100),
    "a bit of the last byte": change(-1),
    "a pickle": lambda path: path.write_bytes(pickle.dumps(print)) and None,
    "a text": lambda path: path.write_text("import sys; sys.exit(1)\n", encoding="utf-8") and None,
    "another program's": swap,
    "a folder": replace_by_folder,
    "a pipe": replace_by(os.mkfifo),
    "a link to nothing": replace_by(lambda path: path.symlink_to("nothing")),
    "a link to itself": replace_by(lambda path: path.symlink_to(path.name)),
    "without access": lambda path: path.chmod(0),
    "missing": Path.unlink,
}


@needs_jit
@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_machine_code_is_not_loaded_but_compiled_anew(
    damage: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = file_of(folder, ".code")
    good = path.read_bytes()
    DAMAGES[damage](path)
    loaded: list[bytes] = []
    loads = pickle.loads
    monkeypatch.setattr(pickle, "loads", lambda data: loaded.append(data) or loads(data))
    _, got = call_fresh()
    np.testing.assert_array_equal(got, 401.0 * X)
    is_readable = damage == "without access" and os.geteuid() == 0  # root reads everything
    assert [good.endswith(data) for data in loaded] == [True] * is_readable
    again, got = call_fresh()
    np.testing.assert_array_equal(got, 401.0 * X)
    assert hits(again) == 1
    assert path.is_file()


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_source_is_not_run_but_written_anew(damage: str, folder: Path) -> None:
    path = file_of(folder, ".py")
    good = path.read_bytes()
    DAMAGES[damage](path)
    compiled, got = call_fresh()
    np.testing.assert_array_equal(got, 401.0 * X)
    assert compiled.path == path
    assert path.read_bytes() == good


@needs_jit
@pytest.mark.parametrize("damage", sorted(DAMAGES.keys() - {"another program's"}))
def test_damaged_library_is_not_loaded_but_compiled_anew(
    damage: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiled: list[str] = []
    monkeypatch.setattr(library, "_compile", lambda machine: compiled.append(machine) or bytes(range(200)))
    assert library._code("once") == bytes(range(200))
    (path,) = folder.glob("nnjit_library_*")
    DAMAGES[damage](path)
    assert library._code("twice") == library._code("thrice") == bytes(range(200))
    is_readable = damage == "without access" and os.geteuid() == 0
    assert compiled == ["once", "twice"][: 2 - is_readable]


@needs_jit
def test_machine_code_that_has_its_checksum_but_cannot_be_loaded_is_compiled_anew(folder: Path) -> None:
    name = file_of(folder, ".code").name
    for content in (b"", b"not a pickle", pickle.dumps(("too", "few")), pickle.dumps(tuple(range(9)))):
        store.write(name, content)
        _, got = call_fresh()
        np.testing.assert_array_equal(got, 401.0 * X)
        assert store.read(name) not in (None, content)


@pytest.fixture(params=[errno.ENOSPC, errno.EROFS, errno.EACCES, errno.EDQUOT])
def unwritable(request: pytest.FixtureRequest, folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Make the cache readable but not writable; return why."""
    reason = os.strerror(request.param)

    def fail(path: Path, data: bytes) -> None:
        raise OSError(request.param, reason, str(path))

    monkeypatch.setattr(store, "replace_file", fail)
    return reason


@needs_jit
def test_cache_that_cannot_be_written_is_read_in_silence_and_warned_of_once(
    unwritable: str, folder: Path
) -> None:
    assert hits(call_fresh()[0]) == 1
    text = (
        f"{folder}: the kernel cache cannot be written ({unwritable}), so each process compiles its kernels "
        "anew; free space, give access, or set NNJIT_CACHE_DIR to a folder of your own"
    )
    with pytest.warns(RuntimeWarning, match=f"^{re.escape(text)}$"):
        np.testing.assert_array_equal(call_fresh(403.0)[1], 403.0 * X)
    np.testing.assert_array_equal(call_fresh(404.0)[1], 404.0 * X)  # another warning would be an error


@needs_jit
def test_full_disk_leaves_no_part_of_a_file(folder: Path) -> None:
    before = sorted(folder.iterdir())
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
    try:
        with pytest.warns(RuntimeWarning, match="the kernel cache cannot be written"):
            _, got = call_fresh(405.0)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    np.testing.assert_array_equal(got, 405.0 * X)
    assert sorted(folder.iterdir()) == before
    call_fresh(405.0)
    assert hits(call_fresh(405.0)[0]) == 1


def test_folder_that_cannot_be_made_is_warned_of_and_replaced_for_this_process(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(path: Path, **options: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system", str(path))

    monkeypatch.setattr(store, "_temporary", lambda: folder)
    monkeypatch.setattr(Path, "mkdir", fail)
    with pytest.warns(RuntimeWarning, match="cannot be made .Read-only file system: .*set NNJIT_CACHE_DIR"):
        assert store.cache_folder() == folder
    assert store.cache_folder() == folder  # without another warning, which would be an error


def test_file_in_place_of_the_folder_is_the_users_mistake(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "file").touch()
    for name in ("file", "file/below"):
        monkeypatch.setenv(store.VARIABLE, str(folder / name))
        with pytest.raises(UserError, match=f"{name}: the kernel cache cannot be made"):
            store.cache_folder()


def test_without_any_place_for_files_nothing_is_kept(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(prefix: str) -> str:
        raise FileNotFoundError(errno.ENOENT, "No usable temporary directory")

    monkeypatch.setattr(store.tempfile, "mkdtemp", fail)
    nowhere = store._temporary.__wrapped__()
    monkeypatch.setattr(store, "cache_folder", lambda: nowhere)
    with pytest.warns(RuntimeWarning, match="cannot be written"):
        _, got = call_fresh(406.0)
    np.testing.assert_array_equal(got, 406.0 * X)
