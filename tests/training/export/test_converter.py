"""llama.cpp's own converter is used where it is named, or where an architecture is not written here."""

from pathlib import Path

import pytest

from schemas.errors import DollyError, InputError
from training.export.converter import find_converter
from training.export.make import Export, export

WRITES = """\
import sys
from pathlib import Path
folder, out = sys.argv[1], sys.argv[sys.argv.index("--outfile") + 1]
Path(out).write_text(f"{Path(folder).name} as {sys.argv[sys.argv.index('--outtype') + 1]}")
"""
FAILS = "import sys; sys.exit('NotImplementedError: BPE pre-tokenizer was not recognized')"


def script(folder: Path, text: str) -> Path:
    """Write a program where a converter is looked for."""
    path = folder / "convert_hf_to_gguf.py"
    path.write_text(text)
    path.chmod(0o755)
    return path


def test_a_named_converter_is_called(tuned: Path, tmp_path: Path) -> None:
    """With the checkpoint, the file and the type; the record names it."""
    how = Export(type="q8_0", converter=str(script(tmp_path, WRITES)), check=False)

    made = export(tuned, tmp_path / "out", how)

    assert (made.path / made.record.file).read_text() == "model as q8_0"
    assert made.record.writer == "convert_hf_to_gguf.py"


def test_what_it_writes_is_checked_as_ours_is(tuned: Path, tmp_path: Path) -> None:
    """A file that llama.cpp cannot read is not published."""
    pytest.importorskip("xllamacpp")

    with pytest.raises(InputError, match=r"a file that llama\.cpp reads"):
        export(tuned, tmp_path / "out", Export(converter=str(script(tmp_path, WRITES))))
    assert not (tmp_path / "out").exists()


def test_its_last_words_are_passed_on(tuned: Path, tmp_path: Path) -> None:
    """And nothing is left."""
    with pytest.raises(DollyError, match="pre-tokenizer was not recognized"):
        export(tuned, tmp_path / "out", Export(converter=str(script(tmp_path, FAILS))))
    assert not (tmp_path / "out").exists()


def test_it_is_found_by_name_variable_and_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In this order; and where there is none, none is found."""
    path = script(tmp_path, WRITES)
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    assert find_converter() == ""
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_converter() == str(path)
    monkeypatch.setenv("LLAMA_CPP_CONVERTER", __file__)
    assert find_converter() == __file__
    assert find_converter(str(path)) == str(path)


def test_a_converter_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    """Rather than silently another one."""
    with pytest.raises(InputError, match="found nothing"):
        find_converter(str(tmp_path / "none.py"))
