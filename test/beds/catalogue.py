"""The images that tests and examples use, by short names; all under bed.local/NAME:1."""

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


def load(bed, namespaces, names=()):
    """Imports all of them, or those of these short names, into the daemon's namespaces."""
    path = bed.path("images.tar")
    found = all_images()
    images.write_layout([found[name] for name in names or found], path)
    for namespace in namespaces:
        bed.ctr("images", "import", "--local" if bed.daemon != "1.6" else "--no-unpack=false", path,
                namespace=namespace)
