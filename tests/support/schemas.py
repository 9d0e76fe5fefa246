"""Kubernetes' own schemas, and those of the custom resources that the manifests use."""

import functools
import os
import pathlib

import jsonschema
import kubernetes_validate
import yaml

# The oldest version that has preStop's sleep, the newest there is, and one between.
VERSIONS = ["1.30", "1.34", kubernetes_validate.latest_version()]

INVALID = (kubernetes_validate.ValidationError, kubernetes_validate.SchemaNotFoundError, jsonschema.ValidationError)


def _closed(schema):
    """The same, strict: a field that it does not know is an error, as `kubectl apply` warns of it."""
    if isinstance(schema, list):
        return [_closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {key: _closed(value) for key, value in schema.items()}
    if isinstance(schema.get("properties"), dict) and "type" in schema and "additionalProperties" not in schema \
            and not schema.get("x-kubernetes-preserve-unknown-fields"):
        closed["additionalProperties"] = False
    return closed


@functools.cache
def custom_resources():
    """{(apiVersion, kind): schema} of the definitions in the files that $CRDS names, separated by colons."""
    found = {}
    for path in os.environ["CRDS"].split(":"):
        spec = yaml.load(pathlib.Path(path).read_text(), yaml.CSafeLoader)["spec"]
        for version in spec["versions"]:
            schema = _closed(version["schema"]["openAPIV3Schema"])
            schema["properties"]["metadata"] = {"type": "object"}
            found[f"{spec['group']}/{version['name']}", spec["names"]["kind"]] = schema
    return found


def validate(found, version):
    """Raises one of INVALID where an object is not what its schema says, or no schema is known."""
    schema = custom_resources().get((found["apiVersion"], found["kind"]))
    if schema is not None:
        jsonschema.Draft7Validator(schema).validate(found)
    else:
        kubernetes_validate.validate(found, version, strict=True)
