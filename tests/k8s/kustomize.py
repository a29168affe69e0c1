"""Renders the overlays as `kubectl kustomize` does, for machines that have no kubectl; a test holds the two against each other."""

import hashlib
import json
from pathlib import Path
from typing import Any

import yaml

Object = dict[str, Any]
_KNOWN = {"apiVersion", "kind", "namespace", "resources", "patches", "configMapGenerator", "configurations", "images"}
_SUFFIX_ALPHABET = str.maketrans("013ae", "ghkmt")


def documents(path: Path) -> list[Object]:
    """The YAML documents of a file."""
    return [document for document in yaml.safe_load_all(path.read_text()) if document is not None]


def merged(target: Any, patch: Any) -> Any:
    """A JSON merge patch (RFC 7386), which is what kustomize does to kinds and lists that it has no merge key for."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merged(result.get(name), value)
    return result


class Rendering:
    """What a folder with a kustomization.yaml comes to; anything that this does not understand is an error."""

    def __init__(self, folder: Path) -> None:
        """Render `folder`, and what it names, up to the names of generated objects."""
        self.objects: list[Object] = []
        self.suffixed: list[Object] = []
        self.references: list[tuple[str, list[str]]] = []
        [kustomization] = documents(folder / "kustomization.yaml")
        assert set(kustomization) <= _KNOWN, set(kustomization) - _KNOWN
        for name in kustomization.get("resources", []):
            self._resource((folder / name).resolve())
        for file in kustomization.get("configurations", []):
            for reference in documents(folder / file)[0]["nameReference"]:
                assert reference["kind"] == "ConfigMap"
                self.references += [(spec["kind"], spec["path"].split("/")) for spec in reference["fieldSpecs"]]
        for generator in kustomization.get("configMapGenerator", []):
            self._generate(folder, generator)
        for patch in kustomization.get("patches", []):
            assert set(patch) == {"path"}
            for document in documents(folder / patch["path"]):
                self._patch(document)
        for image in kustomization.get("images", []):
            self._name_image(image)
        if namespace := kustomization.get("namespace"):
            self._put_into(namespace)

    def _resource(self, path: Path) -> None:
        if path.is_file():
            self.objects += documents(path)
            return
        below = Rendering(path)
        self.objects += below.objects
        self.suffixed += below.suffixed
        self.references += below.references

    def _generate(self, folder: Path, generator: Object) -> None:
        assert set(generator) <= {"name", "files", "options"}
        options = generator.get("options", {})
        assert set(options) <= {"labels", "disableNameSuffixHash"}
        data = {}
        for entry in generator["files"]:
            key, _, file = entry.rpartition("=")
            data[key or Path(file).name] = (folder / file).read_text()
        metadata: Object = {"name": generator["name"]}
        if "labels" in options:
            metadata["labels"] = dict(options["labels"])
        generated = {"apiVersion": "v1", "kind": "ConfigMap", "data": data, "metadata": metadata}
        self.objects.append(generated)
        if not options.get("disableNameSuffixHash"):
            self.suffixed.append(generated)

    def _patch(self, patch: Object) -> None:
        name = (patch["kind"], patch["metadata"]["name"])
        [found] = [o for o in self.objects if (o["kind"], o["metadata"]["name"]) == name]
        changed = merged(found, patch)
        found.clear()
        found.update(changed)

    def _name_image(self, image: Object) -> None:
        """Of pods that kustomize knows; a FlinkDeployment's image is none of them."""
        assert set(image) <= {"name", "newName", "newTag", "digest"}
        tag = f"@{image['digest']}" if "digest" in image else f":{image['newTag']}"
        for found in self.objects:
            if found["kind"] == "Deployment":
                for container in found["spec"]["template"]["spec"]["containers"]:
                    if container["image"] == image["name"]:
                        container["image"] = image.get("newName", image["name"]) + tag

    def _put_into(self, namespace: str) -> None:
        for found in self.objects:
            if found["kind"] == "Namespace":
                found["metadata"]["name"] = namespace
            else:
                found["metadata"]["namespace"] = namespace
            for subject in found.get("subjects", []):
                subject["namespace"] = namespace

    def finished(self) -> list[Object]:
        """The objects, generated names with the digest of what they hold, and references to them likewise."""
        for generated in self.suffixed:
            old = generated["metadata"]["name"]
            new = f"{old}-{content_suffix(generated)}"
            generated["metadata"]["name"] = new
            for kind, path in self.references:
                for found in self.objects:
                    if found["kind"] == kind:
                        _rename(found, path, old, new)
        return self.objects


def _rename(value: Any, path: list[str], old: str, new: str) -> None:
    if isinstance(value, list):
        for item in value:
            _rename(item, path, old, new)
    elif isinstance(value, dict) and path[0] in value:
        if len(path) > 1:
            _rename(value[path[0]], path[1:], old, new)
        elif value[path[0]] == old:
            value[path[0]] = new


def content_suffix(config_map: Object) -> str:
    """Kustomize's digest of a ConfigMap: of its JSON as Go writes it, in letters and digits that make no words."""
    whole = {"data": config_map["data"], "kind": "ConfigMap", "name": ""}
    text = json.dumps(whole, separators=(",", ":"), sort_keys=True, ensure_ascii=False)
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return hashlib.sha256(text.encode()).hexdigest()[:10].translate(_SUFFIX_ALPHABET)
