torch_is_a_package: bool
torch_version: str
torch_library: str
