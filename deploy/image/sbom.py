"""What is in the image, as an SPDX 2.3 document: every Debian package, from dpkg's database, and our programs."""

import datetime
import hashlib
import json
import re
import urllib.parse
import uuid

NAMESPACE = uuid.UUID("1f3c6a0e-4f0c-4b8e-9d0a-7a2f5d1b6c41")  # Ours: a document's address follows from its content.


def fields(control):
    """The fields of one stanza of dpkg's database."""
    found = {}
    for line in re.sub(r"\n[ \t]+", " ", control).splitlines():
        name, _, value = line.partition(":")
        found[name] = value.strip()
    return found


def _purl(package):
    quoted = {name: urllib.parse.quote(package[name], safe="") for name in ("Package", "Version", "Architecture")}
    return f"pkg:deb/debian/{quoted['Package']}@{quoted['Version']}?arch={quoted['Architecture']}&distro=debian-12"


def _debian(package):
    source = package.get("Source", package["Package"])
    return {
        "SPDXID": "SPDXRef-" + re.sub(r"[^a-zA-Z0-9.-]", "-", package["Package"]),
        "name": package["Package"],
        "versionInfo": package["Version"],
        "supplier": "Organization: Debian",
        "originator": "Person: " + package["Maintainer"].replace("<", "(").replace(">", ")"),
        "downloadLocation": "NOASSERTION",
        "filesAnalyzed": False,
        "sourceInfo": f"built from Debian's source package {source}",
        "licenseConcluded": "NOASSERTION",
        "licenseDeclared": "NOASSERTION",  # It is in usr/share/doc/NAME/copyright, in words.
        "copyrightText": "NOASSERTION",
        "externalRefs": [{"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl",
                          "referenceLocator": _purl(package)}],
    }


def _ours(program, version):
    return {
        "SPDXID": "SPDXRef-" + program.name,
        "name": program.name,
        "versionInfo": version,
        "downloadLocation": "NOASSERTION",
        "filesAnalyzed": False,
        "licenseConcluded": "Apache-2.0",
        "licenseDeclared": "Apache-2.0",
        "copyrightText": "NOASSERTION",
        "checksums": [{"algorithm": "SHA256", "checksumValue": hashlib.sha256(program.read_bytes()).hexdigest()}],
    }


def _relation(element, kind, other):
    return {"spdxElementId": element, "relationshipType": kind, "relatedSpdxElement": other}


def document(database, linked, version, programs, created):
    """The document's text. `database` is dpkg's status.d, `linked` the names of the packages in it that are part of
    our programs, `created` a time in seconds."""
    debian = [_debian(fields(path.read_text())) for path in sorted(database.iterdir())]
    ours = [_ours(program, version) for program in programs]
    content = hashlib.sha256(json.dumps([debian, ours]).encode()).hexdigest()
    relations = [_relation("SPDXRef-DOCUMENT", "DESCRIBES", program["SPDXID"]) for program in ours]
    relations += [_relation(program["SPDXID"], "STATIC_LINK" if package["name"] in linked else "DEPENDS_ON",
                            package["SPDXID"])
                  for program in ours for package in debian]
    at = datetime.datetime.fromtimestamp(created, datetime.timezone.utc)
    return json.dumps({
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": f"millrace-{version}",
        "documentNamespace": f"urn:uuid:{uuid.uuid5(NAMESPACE, content)}",
        "creationInfo": {"created": at.strftime("%Y-%m-%dT%H:%M:%SZ"), "creators": ["Tool: millrace-sbom"]},
        "packages": ours + debian,
        "relationships": relations,
    }, indent=1) + "\n"
