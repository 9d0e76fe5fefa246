"""An issuer of signed tokens, whose keys a test rotates."""

import json
import time

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from tests.support.access import replace

ISSUER, AUDIENCE = "https://issuer.test", "millrace"
MADE_BY = {
    "ES256": (lambda: ec.generate_private_key(ec.SECP256R1()), jwt.algorithms.ECAlgorithm),
    "RS256": (lambda: rsa.generate_private_key(public_exponent=65537, key_size=2048), jwt.algorithms.RSAAlgorithm),
}


class Issuer:
    """Signs tokens, with keys that can be rotated."""

    def __init__(self, jwks_file, algorithm="ES256"):
        self.jwks_file = jwks_file
        self.algorithm = algorithm
        self.keys = {}  # By kid.

    def config(self, **more):
        return {"issuer": ISSUER, "audience": AUDIENCE, "jwks_file": self.jwks_file.name, **more}

    def add_key(self, kid):
        self.keys[kid] = MADE_BY[self.algorithm][0]()

    def publish(self, *kids):
        """Writes the key set with these keys."""
        keys = []
        for kid in kids:
            key = json.loads(MADE_BY[self.algorithm][1].to_jwk(self.keys[kid].public_key()))
            keys.append({**key, "kid": kid, "alg": self.algorithm, "use": "sig"})
        replace(self.jwks_file, json.dumps({"keys": keys}))

    def token(self, principal, kid, seconds=300):
        claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": principal, "exp": time.time() + seconds}
        return jwt.encode(claims, self.keys[kid], algorithm=self.algorithm, headers={"kid": kid})
