"""Asks a server by NVIDIA's client of the Open Inference Protocol and prints what it understood.

    python ask.py HOST:PORT MODEL VERSION

Prints one JSON object; errors of the server are under "errors", as the client words them.
"""

import json
import sys

import numpy as np
import tritonclient.http as client
from tritonclient.utils import InferenceServerException

TEXTS = ["1' OR '1'='1", "gr\u00fc\u00df dich"]


def payload(binary, shape):
    tensor = client.InferInput("payload", shape, "BYTES")
    tensor.set_data_from_numpy(np.array(TEXTS, dtype=object).reshape(shape), binary_data=binary)
    return tensor


def answer(result):
    classes = [name.decode() if isinstance(name, bytes) else name for name in result.as_numpy("class")]
    probabilities = result.as_numpy("probabilities")
    return {
        "id": result.get_response().get("id"),
        "classes": classes,
        "shape": list(probabilities.shape),
        "sums": [float(row.sum()) for row in probabilities],
        "confidence": [float(value) for value in result.as_numpy("confidence")],
    }


def error_of(call):
    try:
        call()
    except InferenceServerException as error:
        return str(error)
    return None


def main(address, model, version):
    server = client.InferenceServerClient(address)
    outputs = [client.InferRequestedOutput(name, binary_data=False) for name in
               ("class", "probabilities", "confidence")]
    print(json.dumps({
        "live": server.is_server_live(),
        "ready": server.is_server_ready(),
        "model_ready": server.is_model_ready(model, version),
        "other_ready": server.is_model_ready("other"),
        "extensions": server.get_server_metadata()["extensions"],
        "versions": server.get_model_metadata(model)["versions"],
        "binary": answer(server.infer(model, [payload(True, [2])], request_id="42")),
        "json": answer(server.infer(model, [payload(False, [2, 1])], version, outputs=outputs)),
        "errors": [
            error_of(lambda: server.infer("other", [payload(True, [2])])),
            error_of(lambda: server.infer(model, [client.InferInput("text", [1], "BYTES")])),
            error_of(server.get_trace_settings),
        ],
    }))


main(*sys.argv[1:])
