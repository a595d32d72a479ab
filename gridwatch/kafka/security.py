"""Addresses, TLS and SASL of the brokers, in the forms of librdkafka, aiokafka and Faust.

The protocol defines both whether a connection is encrypted (TLS) and whether the client logs in (SASL). Files
and credentials are passed to a client only where its protocol uses them. The password stays a `SecretStr`
until then: the forms of librdkafka and aiokafka have it in clear text, so they are never logged.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from gridwatch.settings import Settings


@dataclass(frozen=True)
class Security:
    """Encryption and login of a connection."""

    protocol: str
    mechanism: str
    username: str
    password: SecretStr
    cafile: Path | None
    certfile: Path | None
    keyfile: Path | None

    @classmethod
    def of(cls, settings: Settings) -> Security:
        """The one of the settings."""
        return cls(
            protocol=settings.security_protocol,
            mechanism=settings.sasl_mechanism,
            username=settings.sasl_username,
            password=settings.sasl_password,
            cafile=settings.ssl_cafile,
            certfile=settings.ssl_certfile,
            keyfile=settings.ssl_keyfile,
        )

    @property
    def encrypts(self) -> bool:
        """Whether the connection is TLS."""
        return self.protocol.endswith("SSL")

    @property
    def logs_in(self) -> bool:
        """Whether the client logs in by SASL."""
        return self.protocol.startswith("SASL")

    def ssl_context(self) -> ssl.SSLContext | None:
        """Verifies the brokers and presents the client certificate where one is set; None without TLS.

        Raises OSError, of which ssl.SSLError is one, for a file that cannot be read.
        """
        if not self.encrypts:
            return None
        context = ssl.create_default_context(cafile=self.cafile)
        if self.certfile is not None:
            context.load_cert_chain(self.certfile, self.keyfile)
        return context

    def librdkafka(self) -> dict[str, Any]:
        """The configuration for confluent-kafka."""
        conf = {"security.protocol": self.protocol}
        if self.encrypts:
            files = {
                "ssl.ca.location": self.cafile,
                "ssl.certificate.location": self.certfile,
                "ssl.key.location": self.keyfile,
            }
            conf |= {key: str(path) for key, path in files.items() if path is not None}
        if self.logs_in:
            conf |= {
                "sasl.mechanism": self.mechanism,
                "sasl.username": self.username,
                "sasl.password": self.password.get_secret_value(),
            }
        return conf

    def aiokafka(self) -> dict[str, Any]:
        """The arguments for aiokafka's clients."""
        conf: dict[str, Any] = {"security_protocol": self.protocol}
        if self.encrypts:
            conf["ssl_context"] = self.ssl_context()
        if self.logs_in:
            conf |= {
                "sasl_mechanism": self.mechanism,
                "sasl_plain_username": self.username,
                "sasl_plain_password": self.password.get_secret_value(),
            }
        return conf

    def faust(self) -> Any:
        """Faust's `broker_credentials`; None for a connection without TLS and SASL."""
        import faust  # the import takes half a second, and replay does not need it

        if self.logs_in:
            # Faust distinguishes SASL_SSL from SASL_PLAINTEXT by the context.
            return faust.SASLCredentials(
                username=self.username,
                password=self.password.get_secret_value(),
                ssl_context=self.ssl_context(),
                mechanism=self.mechanism,
            )
        return faust.SSLCredentials(self.ssl_context()) if self.encrypts else None


def librdkafka_config(settings: Settings) -> dict[str, Any]:
    """Addresses and security of the brokers for a client of confluent-kafka."""
    return {"bootstrap.servers": settings.bootstrap} | Security.of(settings).librdkafka()


def aiokafka_config(settings: Settings) -> dict[str, Any]:
    """Addresses and security of the brokers for a client of aiokafka."""
    return {"bootstrap_servers": settings.bootstrap} | Security.of(settings).aiokafka()
