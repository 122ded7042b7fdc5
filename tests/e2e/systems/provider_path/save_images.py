import base64
from pathlib import Path

for part in resp_json.get("content_parts", []):
    if part.get("type") == "image_base64":
        Path("output.png").write_bytes(base64.b64decode(part["data"]))
