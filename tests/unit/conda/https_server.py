"""An https server on loopback, with a CA of its own, that behaves and misbehaves as real ones do."""

from __future__ import annotations

import datetime
import http.server
import ipaddress
import pathlib
import re
import ssl
import threading

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec


class HttpsServer:
    """Serves one body at every path.

    *cuts*: after how many bytes each of the next answers breaks off. *ranges*: whether it supports Range. *status*: the
    status of its answers. *redirect*: the target of its redirects. *asked*: the headers of each request.
    """

    def __init__(self, folder: pathlib.Path, body: bytes) -> None:
        self.body = body
        self.etag = '"one"'
        self.ranges = True
        self.cuts: list[int] = []
        self.status = 200
        self.redirect = ""
        self.asked: list[dict[str, str]] = []
        self.ca = str(folder / "ca.pem")
        key = self._certificate(folder)
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.ca, key)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.url = "https://127.0.0.1:%d/Tiny-Linux.sh" % self._server.server_port
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        """End it."""
        self._server.shutdown()
        self._server.server_close()

    def _certificate(self, folder: pathlib.Path) -> str:
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "a CA for one test")])
        now = datetime.datetime.now(datetime.timezone.utc)
        usage = x509.KeyUsage(
            digital_signature=True,
            key_cert_sign=True,
            crl_sign=True,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            encipher_only=False,
            decipher_only=False,
        )
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=1))
            .add_extension(
                x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False
            )
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            # Python 3.13 checks these too.
            .add_extension(usage, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False)
            .sign(key, hashes.SHA256())
        )
        pathlib.Path(self.ca).write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        path = folder / "key.pem"
        path.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        return str(path)

    def _handler(self) -> type[http.server.BaseHTTPRequestHandler]:
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.asked.append(dict(self.headers.items()))
                if outer.redirect:
                    self.send_response(302)
                    self.send_header("Location", outer.redirect)
                    self.end_headers()
                    return
                if outer.status != 200:
                    self.send_error(outer.status)
                    return
                start = self._start()
                if start >= len(outer.body) > 0:
                    self.send_error(416)
                    return
                if start:
                    self.send_response(206)
                    self.send_header("Content-Range", "bytes %d-%d/%d" % (start, len(outer.body) - 1, len(outer.body)))
                else:
                    self.send_response(200)
                rest = outer.body[start:]
                self.send_header("Content-Length", str(len(rest)))
                self.send_header("ETag", outer.etag)
                self.end_headers()
                self.wfile.write(rest[: outer.cuts.pop(0)] if outer.cuts else rest)

            def _start(self) -> int:
                asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
                if not asked or not outer.ranges or self.headers.get("If-Range", outer.etag) != outer.etag:
                    return 0
                return int(asked.group(1))

            def log_message(self, format: str, *args: object) -> None:
                """Quiet."""

        return Handler
