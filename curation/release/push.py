"""Uploads a release to a hub: all files, then every byte checked as it stands there, then the tag.

A large upload may land in several commits, so a tag that were set first could name half a release.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from schemas.directory import MANIFEST
from schemas.errors import DollyError, GateError, InputError
from schemas.manifest import CHUNK
from schemas.sealed import files_of, open_release

SCHEME = "hf://"
KIND = "dataset"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pushed:
    """What stands on the hub."""

    repository: str
    revision: str
    """The commit that was verified; whoever trains on it should name it, never `main`."""
    tag: str


def push(folder: Path, target: str, *, private: bool = True, allow_ungated: bool = False) -> Pushed:
    """Upload a release, verify what arrived, and tag it with its version.

    Where the hub is and whose token is used is for `huggingface_hub` to know: HF_ENDPOINT, HF_TOKEN.

    Raises:
        InputError: no release, no repository's name, or a repository of something else.
        GateError: its review was not passed, and that was not allowed.
        DollyError: the hub refused, what arrived is not what was sent, or the version is tagged already.
    """
    facts = open_release(folder).release
    assert facts is not None  # open_release says so
    if facts.gate.state != "passed" and not allow_ungated:
        raise GateError(
            f"{folder}: gate {facts.gate.state}: {facts.gate.sentence} (--allow-ungated pushes it all the same)"
        )
    name, tag = _repository(target), f"v{facts.version}"
    from huggingface_hub import HfApi  # noqa: PLC0415  # heavy
    from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled  # noqa: PLC0415

    try:
        return _pushed(HfApi(), folder, name, tag, private=private)
    except OfflineModeIsEnabled as error:
        raise DollyError(f"{target}: HF_HUB_OFFLINE is set, so nothing can be uploaded") from error
    except (HfHubHTTPError, OSError) as error:
        raise DollyError(f"{target}: {str(error).strip().splitlines()[0]}") from error


def _pushed(api: Any, folder: Path, name: str, tag: str, *, private: bool) -> Pushed:
    api.create_repo(name, repo_type=KIND, private=private, exist_ok=True)
    if tag in {one.name for one in api.list_repo_refs(name, repo_type=KIND).tags}:
        raise DollyError(f"{name}: {tag} is there already; a version is released once")
    there = {file for file in api.list_repo_files(name, repo_type=KIND) if not file.startswith(".")}
    if (foreign := there - set(files_of(folder))) and MANIFEST not in there:
        expected = "a new data set, or one with an earlier release, which is replaced"
        raise InputError(place=f"{SCHEME}{name}", expected=expected, found=f"other files, among them {min(foreign)}")
    commit = api.upload_folder(
        repo_id=name,
        repo_type=KIND,
        folder_path=folder,
        commit_message=f"Release {tag}",
        delete_patterns="*",  # what an earlier release had and this one has not
    )
    if wrong := list(_differences(api, folder, name, commit.oid)):
        raise DollyError(f"{name}: what arrived is not what was sent, so it was not tagged: {'; '.join(wrong)}")
    api.create_tag(name, tag=tag, revision=commit.oid, repo_type=KIND)
    return Pushed(repository=name, revision=commit.oid, tag=tag)


def _differences(api: Any, folder: Path, name: str, revision: str) -> Iterator[str]:
    """Yield what is not the same there. The hub tells a large file's sha256, and any other's hash as git makes it."""
    there = {one.path: one for one in api.list_repo_tree(name, repo_type=KIND, revision=revision, recursive=True)}
    here = files_of(folder)
    for path in here:
        found = there.get(path)
        if found is None:
            yield f"{path} is missing"
        elif found.size != (folder / path).stat().st_size:
            yield f"{path} has {found.size} bytes"
        elif not _is_same(folder / path, found):
            yield f"{path} has other bytes"
    extra = {path for path, one in there.items() if hasattr(one, "blob_id") and not path.startswith(".")} - set(here)
    yield from (f"{path} was not sent" for path in sorted(extra))


def _is_same(path: Path, found: Any) -> bool:
    if found.lfs is not None:
        return bool(_hash(path, hashlib.sha256()) == found.lfs.sha256)
    return bool(_hash(path, hashlib.sha1(b"blob %d\0" % path.stat().st_size)) == found.blob_id)  # noqa: S324  # git's


def _hash(path: Path, digest: Any) -> str:
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
    return str(digest.hexdigest())


def _repository(target: str) -> str:
    name = target.removeprefix(SCHEME).removeprefix("datasets/")
    if not target.startswith(SCHEME) or name.count("/") != 1 or not all(name.split("/")):
        raise InputError(place="push", expected="hf://ORG/NAME", found=target)
    return name
