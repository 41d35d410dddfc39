#!/bin/sh
# Makes JupyterLab's conda and the environments of the kernels, without a network: from wheels in /wheels.
set -eu
if [ ! -e /opt/conda/made ]; then
    python3 -m venv /opt/conda
    /opt/conda/bin/pip install --quiet --no-index --find-links /wheels --requirement /kernels/requirements.txt
    touch /opt/conda/made
fi
environment() { # name
    python3 -m venv --without-pip "/opt/app/envs/$1"
    mkdir -p "/opt/app/envs/$1/conda-meta" "/opt/app/envs/$1/etc/conda/activate.d"
    touch "/opt/app/envs/$1/conda-meta/history"
}
mkdir -p /opt/app/envs
for name in torch no-ipykernel broken-ipykernel; do environment "$name"; done
packages() { # name
    echo "/opt/app/envs/$1"/lib/python3.*/site-packages
}
for name in torch broken-ipykernel; do
    echo /opt/conda/lib/python3.*/site-packages >"$(packages "$name")/jupyter.pth"
done
echo 'raise ImportError("broken on purpose")' >"$(packages broken-ipykernel)/ipykernel.py"
# What it prints must not get between the messages.
echo 'export HOOKED=yes; echo the hook prints; cat' >/opt/app/envs/torch/etc/conda/activate.d/hook.sh
mkdir -p /opt/conda/share/jupyter
rm -rf /opt/conda/share/jupyter/kernels
cp -r /made/kernels /opt/conda/share/jupyter/kernels
