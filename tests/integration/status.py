"""What `status --json` says, checked against its schema each time."""

import datetime
import json
import re

import jsonschema

CHECKER = jsonschema.FormatChecker(formats=[])


@CHECKER.checks("date-time")
def is_rfc_3339(value):
    if not isinstance(value, str):
        return True
    datetime.datetime.fromisoformat(value)
    return re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", value) is not None


def closed(schema):
    """The same, in which every key must be described; the one for programs allows those of later versions."""
    if isinstance(schema, dict):
        more = {"additionalProperties": False} if "properties" in schema and isinstance(schema["properties"], dict) and "type" in schema else {}
        return {**{key: closed(value) for key, value in schema.items()}, **more}
    return [closed(item) for item in schema] if isinstance(schema, list) else schema


def schema_of(tidelock):
    return json.loads(tidelock("status", "--json-schema").succeeds().out)


def status_of(tidelock, *words, **options):
    schema = closed(schema_of(tidelock))
    jsonschema.Draft202012Validator.check_schema(schema)
    data = json.loads(tidelock("status", "--json", *words, **options).succeeds().out)
    jsonschema.Draft202012Validator(schema, format_checker=CHECKER).validate(data)
    return data


def migration_of(data, name):
    [found] = [entry for entry in data["migrations"] if entry["name"] == name]
    return found


def states_of(data):
    return {entry["name"]: entry["state"] for entry in data["migrations"]}
