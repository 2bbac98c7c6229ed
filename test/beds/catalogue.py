"""The images that tests use, under bed.local/NAME:1, and those of deploy/examples, wherry.local/NAME:1.

    python3 test/beds/catalogue.py build/example-images.tar     the latter, for `ctr -n k8s.io images import`
"""

import sys

import images


def reference(name):
    return f"bed.local/{name}:1"


def all_images():
    """{short name: image}"""
    return {image.reference.split("/")[1].split(":")[0]: image for image in (
        images.pause_image(),
        images.Image(reference("busybox"), [images.busybox_layer()], command=["sh"]),
        images.wasm_image(reference("wordcount"), "wordcount"),
        images.wasm_image(reference("service"), "service", files={"data/.keep": b""}),
        images.wasm_image(reference("trap"), "trap"),
        images.wasm_image(reference("worker"), "worker"),
    )}


def example_images():
    def named(name):
        return f"wherry.local/{name}:1"

    # Beside the entry points: what probes, `kubectl exec` and `kubectl cp` run.
    tar = {"bin/tar": images.guest("tar")}
    return [images.Image(named("busybox"), [images.busybox_layer()], command=["sh"]),
            images.wasm_image(named("httpd"), "httpd",
                              files={"worker.wasm": images.guest("worker"), **tar}),
            images.wasm_image(named("trap"), "trap"),
            images.wasm_image(named("worker"), "worker", files=tar)]


def load(bed, namespaces, names=()):
    """Imports all of a bed's, or those of these short names, into the daemon's namespaces."""
    found = all_images()
    import_all(bed, namespaces, [found[name] for name in names or found])


def import_all(bed, namespaces, chosen):
    path = bed.path("images.tar")
    images.write_layout(chosen, path)
    for namespace in namespaces:
        bed.ctr("images", "import", "--local" if bed.daemon != "1.6" else "--no-unpack=false", path,
                namespace=namespace)


if __name__ == "__main__":
    images.write_layout(example_images(), sys.argv[1])
