"""Write the Postman collection (Bruno imports it too) from the OpenAPI document's snapshot.

python examples/postman/generate.py, or `make schema`.
"""

import json
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
DOCUMENT = HERE.parents[1] / "tests" / "api" / "openapi.json"
COLLECTION = HERE / "credisense.postman_collection.json"
SCHEMA = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"
KEEP = "if (pm.response.code === 200) pm.collectionVariables.set('access', pm.response.json().access);"


def collection(document: dict[str, Any]) -> dict[str, Any]:
    """Return the collection: one folder a tag, one request an operation, with its example as the body."""
    folders: dict[str, list[dict[str, Any]]] = {tag["name"]: [] for tag in document["tags"]}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            folders[operation["tags"][0]].append(_request(path, method, operation, document))
    return {
        "info": {"name": document["info"]["title"], "schema": SCHEMA},
        "auth": {"type": "bearer", "bearer": [{"key": "token", "value": "{{access}}", "type": "string"}]},
        "variable": [
            {"key": "site", "value": "http://127.0.0.1:8000"},
            {"key": "access", "value": ""},
        ],
        "item": [{"name": name, "item": items} for name, items in folders.items()],
    }


def _request(path: str, method: str, operation: dict[str, Any], document: dict[str, Any]) -> dict[str, Any]:
    steps = [f":{step[1:-1]}" if step.startswith("{") else step for step in path.strip("/").split("/")]
    ending = "/" if path.endswith("/") else ""
    parameters = operation.get("parameters", [])
    request: dict[str, Any] = {
        "method": method.upper(),
        "description": operation.get("description", ""),
        "header": [
            {"key": each["name"], "value": "", "disabled": not each.get("required")}
            for each in parameters
            if each["in"] == "header"
        ],
        "url": {
            "raw": "{{site}}/" + "/".join(steps) + ending,
            "host": ["{{site}}"],
            "path": [*steps, ""] if ending else steps,
            "query": [
                {
                    "key": each["name"],
                    "value": "",
                    "description": each.get("description", ""),
                    "disabled": True,
                }
                for each in parameters
                if each["in"] == "query"
            ],
            "variable": [{"key": each["name"], "value": ""} for each in parameters if each["in"] == "path"],
        },
    }
    if body := _example(operation, document):
        request["header"].append({"key": "Content-Type", "value": "application/json"})
        request["body"] = {"mode": "raw", "raw": json.dumps(body, indent=2, ensure_ascii=False)}
    item = {"name": operation["summary"], "request": request}
    if operation["operationId"] == "login":
        item["event"] = [{"listen": "test", "script": {"type": "text/javascript", "exec": [KEEP]}}]
    return item


def _example(operation: dict[str, Any], document: dict[str, Any]) -> Any:
    content = operation.get("requestBody", {}).get("content", {}).get("application/json")
    if content is None:
        return None
    name = content["schema"]["$ref"].rpartition("/")[2]
    return document["components"]["schemas"][name]["examples"][0]


if __name__ == "__main__":
    found = collection(json.loads(DOCUMENT.read_text()))
    COLLECTION.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n")
