"""An issuer of signed tokens, whose keys a test rotates."""

import json
import time

import jwt
from cryptography.hazmat.primitives.asymmetric import ec

from tests.support.access import replace

ISSUER, AUDIENCE = "https://issuer.test", "millrace"


class Issuer:
    """Signs tokens, with keys that can be rotated."""

    def __init__(self, jwks_file):
        self.jwks_file = jwks_file
        self.keys = {}  # By kid.

    def config(self, **more):
        return {"issuer": ISSUER, "audience": AUDIENCE, "jwks_file": self.jwks_file.name, **more}

    def add_key(self, kid):
        self.keys[kid] = ec.generate_private_key(ec.SECP256R1())

    def publish(self, *kids):
        """Writes the key set with these keys."""
        keys = []
        for kid in kids:
            key = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(self.keys[kid].public_key()))
            keys.append({**key, "kid": kid, "alg": "ES256", "use": "sig"})
        replace(self.jwks_file, json.dumps({"keys": keys}))

    def token(self, principal, kid, seconds=300):
        claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": principal, "exp": time.time() + seconds}
        return jwt.encode(claims, self.keys[kid], algorithm="ES256", headers={"kid": kid})
