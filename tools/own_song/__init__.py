"""The shipped U-Net as an ONNX file, which the page *Your own song* runs inside the browser."""
