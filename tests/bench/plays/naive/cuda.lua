help([[CUDA at /opt/pkgs/cuda/cuda-toolkit]])
whatis("Name: cuda")
prepend_path("PATH", "/opt/pkgs/cuda/cuda-toolkit/bin")
prepend_path("LD_LIBRARY_PATH", "/opt/pkgs/cuda/cuda-toolkit/lib64")
