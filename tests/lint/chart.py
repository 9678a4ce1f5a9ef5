"""The chart's README, values.schema.json and templates/_defaults.tpl are made from values.yaml (and the program's options); with --write they
are brought up to date.

In values.yaml a line "# -- TEXT" describes the key below it, "# @default -- TEXT" says what an empty default means, "# @schema JSON" adds
to what the schema makes of the default, and "# @schema-config" stands for the program's options.
"""

import json
import pathlib
import re
import subprocess
import sys

import ruamel.yaml

CHART = pathlib.Path("helm/tidelock")
# What the chart sets itself, and what has its own values.
NOT_IN_CONFIG = {"database_url", "direct_url", "password", "migrations", "schema", "status_file", "keep_env", "share_connections", "replicas"}
TYPES = {bool: "boolean", int: "integer", str: "string", list: "array", dict: "object"}


def options():
    """The program's options by their key in tidelock.yaml, as schemas."""
    tables = json.loads(subprocess.run(["build/tidelock", "manual", "--json"], check=True, capture_output=True, text=True).stdout)
    found = {}
    for option in tables["options"]:
        key = option["key"]
        if not key or key in NOT_IN_CONFIG:
            continue
        schema = {"description": option["text"]}
        match option["value"]:
            case "TIME":
                schema |= {"type": ["string", "integer"], "pattern": "^[0-9]+(ms|s|m|h|d)?$", "minimum": 0}
            case "N":
                schema |= {"type": "integer", "minimum": 0}
            case None:
                schema |= {"type": "boolean"}
            case "FINDINGS":
                schema |= {"type": ["boolean", "string"]}
            case "EVENTS" | "SOURCE":
                schema |= {"type": "string"}
            case _ if option["choices"]:
                # Helm reads an unquoted off as false.
                schema |= {"enum": [*option["choices"], *([False] if "off" in option["choices"] else [])]}
            case _:
                schema |= {"type": "string"}
        found[key] = schema
    return found


def annotations():
    """Path of a key to its comments."""
    found, comments, path = {}, {}, []
    for line in (CHART / "values.yaml").read_text().splitlines():
        comment = re.match(r" *# (?:@(schema-config|schema|default))?(?: ?-- )?(.*)", line)
        key = re.match(r"( *)([\w./-]+):(?: |$)", line)
        if comment and (comment[1] or "# -- " in line):
            comments[comment[1] or "text"] = comment[2]
        elif key:
            path = [*path[: len(key[1]) // 2], key[2]]
            found["/".join(path)] = comments
            comments = {}
        else:
            comments = {}
    return found


def schema_of(value, path, about):
    here = about.get(path, {})
    schema = {"description": here["text"]} if "text" in here else {}
    if value is not None:
        schema["type"] = TYPES[type(value)]
    if isinstance(value, dict) and "text" not in here:
        children = {key: schema_of(child, f"{path}/{key}".lstrip("/"), about) for key, child in value.items()}
        schema |= {"additionalProperties": False, "properties": children}
    elif isinstance(value, dict) and re.search("labels$|annotations$|nodeSelector$", path, re.I):
        schema["additionalProperties"] = {"type": ["string", "null"]}
    elif isinstance(value, list):
        schema["items"] = {"type": "object"}
    if "schema-config" in here:
        schema |= {"additionalProperties": False, "properties": options()}
    extra = json.loads(here.get("schema", "{}"))
    if "enum" in extra:
        schema.pop("type", None)
    return schema | extra


def nullable(schema):
    """Any key may be null, as Helm's users write it: the templates then take the default."""
    for child in schema.get("properties", {}).values():
        if isinstance(child.get("type"), str):
            child["type"] = [child["type"], "null"]
        elif "null" not in child.get("type", ["null"]):
            child["type"].append("null")
        if None not in child.get("enum", [None]):
            child["enum"].append(None)
        nullable(child)


def defaults_of(value, path, about):
    """What a key has that is null: its default; a map that users fill in is empty then, and what may be null stays null."""
    here = about.get(path, {})
    if isinstance(value, dict):
        children = {} if "text" in here else {key: defaults_of(child, f"{path}/{key}".lstrip("/"), about) for key, child in value.items()}
        return None if '"null"' in here.get("schema", "") and path != "global" else children
    return value


def rows(value, path, about):
    here = about.get(path, {})
    if isinstance(value, dict) and "text" not in here:
        for key, child in value.items():
            yield from rows(child, f"{path}/{key}".lstrip("/"), about)
        return
    default = here.get("default") or f"`{json.dumps(value)}`"
    if isinstance(value, dict) and value:
        default = "see values.yaml"
    yield f"| `{path.replace('/', '.')}` | {default} | {here['text']} |"


def main():
    values = ruamel.yaml.YAML(typ="safe").load((CHART / "values.yaml").read_text())
    about = annotations()
    schema = {"$schema": "http://json-schema.org/draft-07/schema#", "title": "Values of the chart tidelock"} | schema_of(values, "", about)
    schema["properties"]["enabled"] = {"type": "boolean", "description": "Not read here: for a parent chart's condition"}
    nullable(schema)
    defaults = json.dumps(defaults_of(values, "", about), indent=2)
    readme = CHART / "README.md"
    table = "| value | default | |\n| --- | --- | --- |\n" + "\n".join(rows(values, "", about)) + "\n"
    fresh = {
        CHART / "templates" / "_defaults.tpl": f'{{{{/* Made from values.yaml by tests/lint/chart.py. */}}}}\n{{{{- define "tidelock.defaults" -}}}}\n{defaults}\n{{{{- end }}}}\n',
        CHART / "values.schema.json": json.dumps(schema, indent=2) + "\n",
        readme: re.sub(r"(<!-- generated: values -->\n).*?(<!-- end -->)", lambda match: match[1] + table + match[2], readme.read_text(), flags=re.S),
    }
    for path, text in fresh.items():
        if "--write" in sys.argv:
            path.write_text(text)
        elif not path.exists() or path.read_text() != text:
            sys.exit(f"{path} is behind values.yaml or the program: python3 tests/lint/chart.py --write")


main()
