"""A release is sealed: `SHA256SUMS` names every file and the manifest, the manifest names every other file.

So a changed, missing or added file is found whichever it is, with our tools or with `sha256sum --check` alone. What
begins with a dot at the top of the folder is a hub's or an editor's, and not part of it.
"""

from collections.abc import Iterable
from pathlib import Path

from schemas.directory import MANIFEST, read_manifest
from schemas.errors import InputError
from schemas.manifest import FileDigest, Manifest, differences, digest_file

CHECKSUMS = "SHA256SUMS"
RELEASE = "release"
"""The stage whose directories are sealed."""


def open_release(path: Path) -> Manifest:
    """Return a release's manifest after verifying every byte of the folder.

    Raises:
        InputError: not a release, or not as it was released.
    """
    manifest = read_manifest(path)
    if manifest.stage != RELEASE or manifest.release is None:
        raise InputError(place=path, expected="a release", found=f"a {manifest.stage} step")
    if wrong := unsealed(path, manifest):
        raise InputError("; ".join(wrong))
    return manifest


def unsealed(path: Path, manifest: Manifest) -> list[str]:
    """Return one sentence for each file that is not as it was released."""
    found = differences(path, manifest.outputs)
    known = {one.path for one in manifest.outputs} | {MANIFEST, CHECKSUMS}
    found += [f"{path / name}: a file that was not released" for name in files_of(path) if name not in known]
    sums = path / CHECKSUMS
    if not sums.is_file():
        return [*found, f"{sums}: missing"]
    if sums.read_bytes() != checksums((*manifest.outputs, digest_file(path / MANIFEST, MANIFEST))):
        found.append(f"{sums}: not the sums of these files; {MANIFEST} or {CHECKSUMS} has been changed")
    return found


def checksums(files: Iterable[FileDigest]) -> bytes:
    """Return the one way of writing `SHA256SUMS`."""
    return "".join(f"{one.sha256}  {one.path}\n" for one in sorted(files, key=lambda one: one.path)).encode()


def files_of(path: Path) -> list[str]:
    """Return the names of a folder's files, relative, without what is hidden at its top."""
    names = (file.relative_to(path) for file in sorted(path.rglob("*")) if file.is_file())
    return [name.as_posix() for name in names if not name.parts[0].startswith(".")]
