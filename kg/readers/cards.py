"""Hugging Face model and dataset cards: Markdown with a YAML block above it.

A card's repository comes from where it was read (``org/name/README.md``, ``org@name.md``,
``org__name.md``, a record's ``id`` or ``url``) or from its own metadata; else it is named by its
file.  The small files beside a card that state a parent (``adapter_config.json``,
``mergekit_config.yml``) are read as cards, too.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import PurePath
from typing import Any, Final

import msgspec
from ruamel.yaml.error import YAMLError

from kg.errors import ReadError
from kg.readers.documents import atx_title, content_id, one_line, safe_url, short_hash
from kg.readers.frontmatter import (
    DATASET_KEYS,
    HUB_KEYS,
    MODEL_KEYS,
    Refused,
    front_matter,
    is_flat,
    parse,
    unflattened,
)
from kg.readers.source import STANDARD_INPUT, Source, clean
from kg.text import slug
from kg.values import Document

HUB: Final = "https://huggingface.co"
#: Files of a Hub repository that are read as cards though they are not Markdown.
SIDE_FILES: Final = ("adapter_config.json", "mergekit_config.yml")

_REPOSITORY = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}")
_ADDRESS = re.compile(
    r"https?://(?:www\.)?(?:huggingface\.co|hf\.co)/(?P<dataset>datasets/)?"
    r"(?P<id>[A-Za-z0-9][\w.-]{0,95}(?:/[A-Za-z0-9][\w.-]{0,95})?)(?:/(?:raw|resolve|blob|tree)/.*)?/?"
)
_FRONT = re.compile(
    r"\s*---(?:[ \t]*\r?\n(?:(?!\r?\n).+\n)*?---[ \t]*(?:\r?\n|$)|\s+[A-Za-z_][\w-]*\s*:|\s+#)"
)
_TEXT_FIELDS: Final = ("content", "text", "card", "readme", "card_text", "modelcard", "README")
_ID_FIELDS: Final = (
    "id",
    "repo_id",
    "repo",
    "repository",
    "modelId",
    "model_id",
    "dataset_id",
    "model",
)
_HEADING = re.compile(r"^(?:#{1,6}[ \t]+(?P<atx>.+)|(?P<setext>\S.*)\n={3,}[ \t]*)$", re.M)
#: What a file is called that holds the card of its folder.
_ANY_CARD = frozenset({"readme", "card", "modelcard", "datasetcard"})


def read_card(source: Source) -> Iterator[Document]:
    """Yield the card in a Markdown file, or the parents that a file beside a card states."""
    name = PurePath(source.name).name
    text = source.text()
    repository, is_dataset = repository_of_path(source.name)
    if name in SIDE_FILES:
        yield _side_file(source.name, name, text, repository)
        return
    yield card(
        text,
        repository=repository,
        is_dataset=is_dataset,
        named=_named(source.name),
        note=lambda reason: source.note("front matter", reason),
    )


def looks_like_card(head: str, name: str) -> bool:
    """Whether a text with this beginning and file name is a card."""
    file = PurePath(name).name
    if file in SIDE_FILES or _FRONT.match(head):
        return True
    markdown = re.search(r"\.(?:md|markdown)(?:\.gz)?$", file, re.IGNORECASE)
    return bool(markdown and repository_of_path(name)[0] and not file.startswith("README."))


def is_record(record: Mapping[str, Any]) -> bool:
    """Whether a JSON record holds a card: a text with front matter, or a README's path."""
    text = _card_text(record)
    if not text:
        return False
    if _FRONT.match(text[:4096]):
        return True
    path = record.get("path")
    if isinstance(path, str) and path.endswith("README.md"):
        return True
    given = str(record.get("url") or "")
    return record.get("type") in ("model", "dataset") or bool(_ADDRESS.fullmatch(given))


def document_of_record(
    record: Mapping[str, Any], note: Callable[[str], None] | None = None
) -> Document:
    """Return the card that a JSON record holds."""
    url = str(record.get("url") or "")
    address = _ADDRESS.fullmatch(url)
    path = record.get("path")
    given = next(
        (
            value
            for key in _ID_FIELDS
            if isinstance(value := record.get(key), str) and value.strip()
        ),
        "",
    )
    repository = given if _is_repository(given) else (address["id"] if address else "")
    from_path, path_is_dataset = repository_of_path(path) if isinstance(path, str) else ("", False)
    is_dataset = (
        str(record.get("type") or "").casefold() == "dataset"
        or bool(address and address["dataset"])
        or path_is_dataset
    )
    return card(
        _card_text(record),
        repository=repository or from_path,
        is_dataset=is_dataset,
        named=given,
        note=note,
    )


def card(
    text: str,
    *,
    repository: str = "",
    is_dataset: bool = False,
    named: str = "",
    note: Callable[[str], None] | None = None,
) -> Document:
    """Return the document of one card's ``text``.

    Without ``repository`` the metadata may name one; without that, the document is called
    ``named``.  What cannot be read of the front matter is told to ``note`` in a sentence.
    """
    text = clean(text)
    if is_flat(text):
        text = unflattened(text)
    front = front_matter(text)
    if front.problem and note:
        note(front.problem)
    values = front.values
    repository = repository or _stated(values)
    # One key can be copied from the wrong template; the kinds are told apart by the majority.
    dataset_keys, model_keys = len(DATASET_KEYS & set(values)), len(MODEL_KEYS & set(values))
    is_dataset = is_dataset or dataset_keys > model_keys
    # Notes and blogs have front matter, too: without one key of the Hub's it is just a text.
    foreign = values and not repository and not HUB_KEYS & set(values)
    title = _title(text, front.body) or repository.rpartition("/")[2] or named or "untitled card"
    prefix = "datasets/" if is_dataset else ""
    if repository:
        document_id = f"card-{prefix}{repository}".replace("/", "--")
        url = safe_url(f"{HUB}/{prefix}{repository}")
    else:
        known_by = named and not foreign
        document_id = f"card-{slug(named)}" if known_by else content_id(title, text)
        url = ""
    return Document(
        id=document_id,
        kind="text" if foreign else "dataset-card" if is_dataset else "model-card",
        title=title,
        text=text,
        url=url,
        repository=repository,
        body=front.body,
        metadata=values,
    )


def repository_of_path(path: str) -> tuple[str, bool]:
    """Return the repository that a path names, or empty, and whether it is a dataset's.

    ``org/name/README.md``, ``org@name.md``, ``org__name.md``, ``models--org--name/...``; a
    prefix such as ``group__`` before ``org@name`` is left out.
    """
    if path == STANDARD_INPUT:
        return "", False
    parts = [part for part in PurePath(path).parts if part not in ("/", ".", "..")]
    is_dataset = "datasets" in parts[:-1] or any(part.startswith("datasets--") for part in parts)
    if not parts:
        return "", is_dataset
    for part in parts[:-1]:
        cached = re.fullmatch(r"(?:models|datasets)--([^-].*?)--(.+)", part)
        if cached:
            return _if_repository(f"{cached[1]}/{cached[2]}"), is_dataset
    stem = file_name(parts[-1])
    if stem.count("@") == 1:
        organisation, _, name = stem.partition("@")
        organisation = organisation.rpartition("__")[2]
    else:
        organisation, _, name = stem.strip("_").partition("__")
    if name and "@" not in name:
        return (
            "" if name.casefold() in _ANY_CARD else _if_repository(f"{organisation}/{name}")
        ), is_dataset
    if stem.casefold() in ("readme", "adapter_config", "mergekit_config") and len(parts) >= 3:
        owner = parts[-3]
        if owner not in ("models", "datasets", "cards", "home", "tmp"):
            return _if_repository(f"{owner}/{parts[-2]}"), is_dataset
    return "", is_dataset


def file_name(path: str) -> str:
    """Return a file's name without the endings that only tell its format."""
    name = PurePath(path).name
    return re.sub(r"(?:\.(?:md|markdown|txt|json|yml|yaml))?(?:\.gz)?$", "", name, flags=re.I)


def _named(path: str) -> str:
    """Return what a file without repository is called: a README as its folder is."""
    name, folder = file_name(path), PurePath(path).parent.name
    return folder if name.casefold() in _ANY_CARD and folder not in ("", ".", "..") else name


def _is_repository(given: str) -> bool:
    return bool(_REPOSITORY.fullmatch(given)) and ".." not in given


def _if_repository(given: str) -> str:
    return given if _is_repository(given) else ""


def _card_text(record: Mapping[str, Any]) -> str:
    for key in _TEXT_FIELDS:
        value = record.get(key)
        if isinstance(value, str) and value.strip():
            return value
    return ""


def _stated(values: Mapping[str, Any]) -> str:
    """Return the repository that the metadata itself gives for the card, or empty."""
    for key in ("repo_id", "model_id", "hub_id", "repository"):
        value = values.get(key)
        if isinstance(value, str) and _is_repository(value.strip()):
            return value.strip()
    return ""


def _title(text: str, body: int) -> str:
    match = _HEADING.search(text, body)
    if not match:
        return ""
    title = (atx_title(match["atx"]) if match["atx"] else match["setext"])[:1000]
    title = re.sub(r"<[^>]*>|!\[[^\]]*\]\([^)]*\)", "", title)
    title = re.sub(r"\[([^\]]+)\]\([^)]*\)", r"\1", title)
    return one_line(title.strip("*_` "))[:200]


def _side_file(path: str, name: str, text: str, repository: str) -> Document:
    """Return a document of the parents that an adapter's or a merge's configuration states."""
    text = clean(text)
    try:
        values = msgspec.json.decode(text.encode()) if name.endswith(".json") else parse(text)
    except (msgspec.DecodeError, YAMLError, Refused, ValueError, RecursionError) as error:
        raise ReadError(f"{path} cannot be read: {str(error).splitlines()[0]}") from error
    if not isinstance(values, dict):
        raise ReadError(f"{path} is no {name}: an object was expected")
    kind = "adapter_config" if name.endswith(".json") else "mergekit_config"
    folder = PurePath(path).parent.name
    label = repository.replace("/", "--") or slug(folder or short_hash(text))
    return Document(
        id=f"card-{label}--{kind}",
        kind="model-card",
        title=f"{repository.rpartition('/')[2] or folder}: {name}",
        text=text,
        url=f"{HUB}/{repository}" if repository else "",
        repository=repository,
        body=len(text),
        metadata={kind: values},
    )
