"""Defaults that a project or a person sets once: ``kg.toml``, ``[tool.kg]`` and environment.

A section is a command, a key is one of its long options without the dashes::

    [build]
    gear = "accurate"
    overrides = "overrides.yaml"

The same as an environment variable: ``KG_BUILD_GEAR=accurate``.  A flag wins over the
environment, the environment over ``kg.toml``, ``kg.toml`` over ``[tool.kg]`` in pyproject.toml.
"""

from __future__ import annotations

import argparse
import os
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from kg.errors import UsageError
from kg.text import did_you_mean

#: What an environment variable may say for an option that is on or off.
_SWITCH: Final = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}
#: The files, weakest first.
_FILES: Final = ("pyproject.toml", "kg.toml")


@dataclass(frozen=True, slots=True)
class Setting:
    """The value of one option of one command, and where it comes from."""

    command: str
    key: str
    value: Any
    #: ``default``, a file, or an environment variable.
    origin: str


def options(parser: argparse.ArgumentParser) -> dict[str, argparse.Action]:
    """Return the options of a command that can be configured, by key."""
    found: dict[str, argparse.Action] = {}
    for action in parser._actions:  # argparse has no public list of its actions
        long = [option[2:] for option in action.option_strings if option.startswith("--")]
        if long and action.dest != "help" and not long[0].startswith("no-"):
            found[long[0]] = action
    return found


def read_files(folder: Path | None = None) -> list[tuple[str, Mapping[str, Any]]]:
    """Return the configuration files of ``folder`` (default: the current one), weakest first."""
    folder = folder or Path.cwd()
    found: list[tuple[str, Mapping[str, Any]]] = []
    for name in _FILES:
        path = folder / name
        if not path.is_file():
            continue
        try:
            content = tomllib.loads(path.read_text(encoding="utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            if name == "kg.toml":
                raise UsageError(f"{path}: is not TOML: {error}") from error
            continue  # somebody's broken pyproject.toml is not ours to judge
        if name == "pyproject.toml":
            tools = content.get("tool")
            content = tools.get("kg", {}) if isinstance(tools, dict) else {}
            if not isinstance(content, dict):
                raise UsageError(f"{path}: tool.kg should be a table: write [tool.kg.build]")
        if content:
            found.append((name, content))
    return found


def settings(
    command: str,
    parser: argparse.ArgumentParser,
    commands: Iterable[str],
    *,
    files: Iterable[tuple[str, Mapping[str, Any]]] | None = None,
    environment: Mapping[str, str] | None = None,
) -> list[Setting]:
    """Return every option of ``command`` with its value before flags, and the value's origin.

    An unknown section or key, or a value of the wrong kind, is a :class:`UsageError`.
    """
    environment = os.environ if environment is None else environment
    actions = options(parser)
    values = {
        key: Setting(command, key, _default(action), "default") for key, action in actions.items()
    }
    for name, content in read_files() if files is None else files:
        for section, inside in content.items():
            known(section, tuple(commands), f"{name}: no command is called '{section}'")
            if not isinstance(inside, dict):
                raise UsageError(
                    f"{name}: '{section}' should be a section: write [{section}], and a line for "
                    "each option below it"
                )
        for key, value in content.get(command, {}).items():
            known(key, tuple(actions), f"{name}, [{command}]: there is no option '{key}'")
            place = f"{name}, [{command}] {key}"
            values[key] = Setting(command, key, _checked(actions[key], value, place), name)
    keys = {_variable(command, key): key for key in actions}
    for variable in sorted(environment):
        if not variable.startswith(_variable(command, "")):
            continue
        known(variable, tuple(keys), f"the environment sets {variable}, which is no option")
        key, action = keys[variable], actions[keys[variable]]
        value = _checked(action, _from_text(action, environment[variable], variable), variable)
        values[key] = Setting(command, key, value, variable)
    return [values[key] for key in actions]


def apply(command: str, parser: argparse.ArgumentParser, commands: Iterable[str]) -> None:
    """Make what is configured for ``command`` the defaults of its parser."""
    actions = options(parser)
    # Several options may set one thing (--up, --down): the stronger origin comes last.
    for setting in sorted(settings(command, parser, commands), key=_strength):
        action = actions[setting.key]
        value = setting.value
        if setting.origin == "default":
            continue
        if isinstance(action, argparse._StoreConstAction):
            if not value and action.const is not True:
                continue  # --up is given or not: not to give it sets nothing
            value = value and action.const
        parser.set_defaults(**{action.dest: value})
        action.required = False


def _variable(command: str, key: str) -> str:
    return f"KG_{command}_{key}".upper().replace("-", "_")


def _strength(setting: Setting) -> int:
    weakest_first = ("default", *_FILES)
    place = setting.origin
    return weakest_first.index(place) if place in weakest_first else len(weakest_first)


def _default(action: argparse.Action) -> Any:
    """Return what is so unless set; of an option that is given or not, whether it is as given."""
    if isinstance(action, argparse._StoreConstAction):
        return action.default == action.const
    return action.default


def known(word: str, words: tuple[str, ...], problem: str) -> None:
    """Raise a :class:`UsageError` with ``problem`` and the nearest word where ``word`` is none."""
    if word not in words:
        hint = did_you_mean(word, words, f"there are: {', '.join(sorted(words))}")
        raise UsageError(f"{problem}; {hint}")


def _from_text(action: argparse.Action, text: str, variable: str) -> Any:
    if action.nargs == 0:
        if text.casefold() not in _SWITCH:
            raise UsageError(f"{variable}: should be one of {', '.join(_SWITCH)}, not {text!r}")
        return _SWITCH[text.casefold()]
    return text.split(os.pathsep) if action.nargs in ("+", "*") else text


def _checked(action: argparse.Action, value: Any, place: str) -> Any:
    """Return ``value`` converted as the flag would be; complain naming ``place``."""
    if action.nargs == 0:
        if not isinstance(value, bool):
            raise UsageError(f"{place}: should be true or false, not {value!r}")
        return value
    if action.nargs in ("+", "*") or isinstance(action, argparse._AppendAction):
        items = value if isinstance(value, list) else [value]
        return [_one(action, item, place) for item in items]
    return _one(action, value, place)


def _one(action: argparse.Action, value: Any, place: str) -> Any:
    if isinstance(value, (dict, list, bool)):
        raise UsageError(f"{place}: should be one value, not {value!r}")
    if callable(action.type):
        try:
            value = action.type(str(value))
        except (ValueError, TypeError, argparse.ArgumentTypeError) as error:
            raise UsageError(f"{place}: {value!r} cannot be used ({error})") from error
    elif not isinstance(value, str):
        raise UsageError(f"{place}: should be text in quotes, not {value!r}")
    if action.choices is not None and value not in action.choices:
        known(str(value), tuple(map(str, action.choices)), f"{place}: {value!r} is no choice")
    return value
