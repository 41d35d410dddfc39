"""Which variables a program gets: an ordinary user's own, and of root's those that lead to no other user's place."""

from __future__ import annotations

import os
import pwd

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._files import environment
from ansible_collections.hpc.pytorch.plugins.module_utils._files.environment import clean_environment, roots_own


@pytest.fixture
def given(monkeypatch):
    """Replaces this process's variables."""

    def replace(**variables):
        for name in list(os.environ):
            monkeypatch.delenv(name)
        for name, value in variables.items():
            monkeypatch.setenv(name, value)

    return replace


@pytest.fixture
def as_root(monkeypatch):
    """Root, to whom every path belongs but those below /theirs."""
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(environment, "nearest_existing", lambda path: path)
    monkeypatch.setattr(os.path, "exists", lambda path: True)
    monkeypatch.setattr(os.path, "isdir", lambda path: True)
    monkeypatch.setattr(os.path, "lexists", lambda path: path in ("/theirs", "/wheels"))

    def reason(path, for_new=False):
        return "theirs" if path.startswith(("/theirs", "/wheels")) or path == "/tmp" and not for_new else None

    monkeypatch.setattr(environment, "untrusted_because", reason)


@pytest.mark.parametrize(
    "name",
    [
        "PYTHONPATH",
        "PYTHONHOME",
        "PYTHONUSERBASE",
        "PYTHONSTARTUP",
        "PYTHONEXECUTABLE",
        "PYTHONPLATLIBDIR",
        "VIRTUAL_ENV",
    ]
    + ["PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_USER", "PIP_PYTHON", "PIP_REPORT", "PIP_REQUIREMENT", "PIP_QUIET"]
    + ["PIP_VERBOSE", "PIP_REQUIRE_VIRTUALENV"],
)
def test_nobody_gets_what_leads_python_or_pip_to_other_packages(given, name):
    given(**{name: "/opt/x", "LANG": "C"})
    assert name not in clean_environment() and clean_environment()["LANG"] == "C"


@pytest.mark.parametrize(
    "name",
    ["LD_LIBRARY_PATH", "CC", "CFLAGS", "AWS_PROFILE", "SSH_AUTH_SOCK", "MY_TOKEN", "PIP_FIND_LINKS", "HOME", "PATH"],
)
def test_an_ordinary_user_keeps_the_rest(given, monkeypatch, name):
    given(**{name: "/theirs/x"})
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert clean_environment()[name] == "/theirs/x"
    assert roots_own({name: "/theirs/x"}) == {name: "/theirs/x"}


@pytest.mark.parametrize(
    "name, value",
    [
        ("LANG", "de_DE.UTF-8"),
        ("LC_ALL", "C.UTF-8"),
        ("TZ", "Europe/Berlin"),
        ("TMPDIR", "/tmp"),
        ("TMPDIR", "/var/tmp/root"),
        ("http_proxy", "http://user:pass@proxy.example:3128"),
        ("HTTPS_PROXY", "http://proxy.example:3128/"),
        ("no_proxy", "localhost,.example,10.0.0.0/8"),
        ("SSL_CERT_FILE", "/etc/ssl/site.pem"),
        ("REQUESTS_CA_BUNDLE", "/etc/ssl/site.pem"),
        ("NETRC", "/root/.netrc"),
        ("PIP_INDEX_URL", "https://user:pa%40ss@mirror.example/simple"),
        ("PIP_EXTRA_INDEX_URL", "https://a.example/simple https://b.example/simple"),
        ("PIP_INDEX_URL", "https://theirs/simple"),
        ("PIP_INDEX_URL", "https://mirror.example/theirs/simple"),
        ("PIP_FIND_LINKS", "/opt/theirs"),
        ("PIP_FIND_LINKS", "/opt/wheels"),
        ("PIP_FIND_LINKS", "file:///opt/wheels /srv/wheels"),
        ("PIP_CONFIG_FILE", "/etc/pip.conf"),
        ("PIP_CERT", "/etc/ssl/site.pem"),
        ("PIP_DEFAULT_TIMEOUT", "180"),
        ("PIP_NO_INDEX", "1"),
        ("PIP_CACHE_DIR", "/root/cache"),
        ("RATTLER_AUTH_FILE", "/root/auth.json"),
        ("CONDA_OVERRIDE_CUDA", "12.8"),
        ("MAMBA_ROOT_PREFIX", "/opt/mamba"),
        ("TORCH_CUDA_ARCH_LIST", "8.0;9.0+PTX"),
        ("XDG_CACHE_HOME", "/root/a-cache"),
        ("CUDA_HOME", "/usr/local/cuda"),
        ("HOME", "/root/other"),
    ],
)
def test_root_keeps_what_a_site_needs(given, as_root, name, value):
    given(**{name: value})
    assert clean_environment()[name] == value


HOSTILE = [
    ("SSL_CERT_FILE", "/theirs/ca.pem"),
    ("SSL_CERT_DIR", "/etc/ssl:/theirs"),
    ("REQUESTS_CA_BUNDLE", "/theirs/ca.pem"),
    ("CURL_CA_BUNDLE", "/theirs/ca.pem"),
    ("NETRC", "/theirs/netrc"),
    ("RATTLER_AUTH_FILE", "/theirs/auth.json"),
    ("XDG_CACHE_HOME", "/theirs/cache"),
    ("XDG_CONFIG_HOME", "/theirs/config"),
    ("XDG_CONFIG_DIRS", "/etc/xdg:/theirs/xdg"),
    ("XDG_DATA_HOME", "/theirs"),
    ("TMPDIR", "/theirs/tmp"),
    ("TZ", ":/theirs/zone"),
    ("LANGUAGE", "/theirs/x"),
    ("PIP_CONFIG_FILE", "/theirs/pip.conf"),
    ("PIP_CERT", "/theirs/ca.pem"),
    ("PIP_CLIENT_CERT", "/theirs/client.pem"),
    ("PIP_CACHE_DIR", "/theirs/cache"),
    ("PIP_CONSTRAINT", "/theirs/constraints.txt"),
    ("PIP_BUILD_CONSTRAINT", "/theirs/constraints.txt"),
    ("PIP_INDEX_URL", "file:///theirs/simple"),
    ("PIP_INDEX_URL", "file:///%74heirs/simple"),
    ("PIP_INDEX_URL", "FILE:/theirs/simple"),
    ("PIP_INDEX_URL", "file://localhost/theirs/simple"),
    ("PIP_EXTRA_INDEX_URL", "https://a.example/simple file:///theirs/simple"),
    ("PIP_FIND_LINKS", "/theirs/wheels"),
    ("PIP_FIND_LINKS", "/opt/wheels /theirs/wheels"),
    ("PIP_FIND_LINKS", "/opt/wheels\n/theirs/wheels"),
    ("PIP_FIND_LINKS", "//theirs/wheels"),
    ("PIP_FIND_LINKS", "/opt/../theirs/wheels"),
    ("PIP_FIND_LINKS", "../theirs/wheels"),
    ("PIP_FIND_LINKS", "./theirs/wheels"),
    ("PIP_FIND_LINKS", "theirs"),
    ("PIP_FIND_LINKS", "wheels"),
    ("PIP_LOG", "/theirs/log"),
    ("PIP_SRC", "/theirs/src"),
    ("PIP_EDITABLE", "/theirs/project"),
    ("PIP_GLOBAL_OPTION", "--x=/theirs"),
    ("PIP_CONFIG_SETTINGS", "x=/theirs/y"),
    ("CONDA_ROOT", "/theirs"),
    ("CONDA_EXE", "/theirs/conda"),
    ("MAMBA_ROOT_PREFIX", "/theirs"),
    ("CUDA_HOME", "/theirs/cuda"),
    ("CUDA_MODULE_DATA", "a:b;/theirs/c"),
]
NEVER = [
    "LD_PRELOAD LD_AUDIT LD_LIBRARY_PATH LD_DEBUG_OUTPUT GCONV_PATH GLIBC_TUNABLES LOCPATH NLSPATH",
    "BASH_ENV ENV BASH_FUNC_ls%% SHELLOPTS PS4 PROMPT_COMMAND CDPATH IFS HOSTALIASES MALLOC_TRACE",
    "PERL5LIB PERL5OPT RUBYOPT NODE_OPTIONS",
    "GIT_SSH GIT_SSH_COMMAND GIT_EXEC_PATH GIT_CONFIG_GLOBAL GIT_ASKPASS GIT_EXTERNAL_DIFF GIT_PROXY_COMMAND GIT_DIR",
    "AWS_CONFIG_FILE",
    "OPENSSL_CONF OPENSSL_MODULES OPENSSL_ENGINES CC CXX CFLAGS LDFLAGS MAKEFLAGS GCC_EXEC_PREFIX COMPILER_PATH CPATH",
    "EDITOR PAGER BROWSER TCLLIBPATH CLASSPATH JAVA_TOOL_OPTIONS SETUPTOOLS_USE_DISTUTILS DISTUTILS_DEBUG",
]


@pytest.mark.parametrize("name, value", HOSTILE)
def test_root_gets_nothing_that_leads_to_another_users_place(given, as_root, name, value):
    given(**{name: value})
    assert name not in clean_environment()


@pytest.mark.parametrize("name", " ".join(NEVER).split())
def test_root_gets_nothing_that_no_program_of_ours_needs(given, as_root, name):
    given(**{name: "/opt/of/root"})
    assert name not in clean_environment()


@pytest.mark.parametrize("name", " ".join(NEVER).split())
def test_no_variable_that_leads_to_another_users_place_is_left_to_slurm_cuda_or_the_engine(as_root, name):
    assert name not in roots_own({name: "/theirs/x"})


@pytest.mark.parametrize(
    "name, value",
    [
        ("LD_PRELOAD", "evil.so"),
        ("LD_AUDIT", "evil.so"),
        ("LD_PRELOAD", "/lib/a.so /theirs/b.so"),
        ("LD_PRELOAD", "/lib/a.so:/theirs/b.so"),
        ("BASH_FUNC_ls%%", "() { evil; }"),
        ("BASH_FUNC_ls%%", "() { /bin/evil; }"),
        ("PERL5OPT", "-Mevil"),
        ("GIT_CONFIG_PARAMETERS", "'core.sshCommand=/theirs/x'"),
        ("GIT_SSH_COMMAND", "ssh -o ProxyCommand=x"),
        ("SLURM_CONF", "/theirs/slurm.conf"),
    ],
)
def test_more_spellings_of_code_to_load(as_root, name, value):
    assert name not in roots_own({name: value})


def test_lists_of_folders_keep_those_of_roots(given, as_root):
    given(PATH="/theirs/bin::bin:/usr/bin:.:/theirs", LD_LIBRARY_PATH="/theirs/lib:/opt/lib:lib", HOME="/theirs/home")
    kept = roots_own(os.environ)
    assert kept == {"PATH": "/usr/bin", "LD_LIBRARY_PATH": "/opt/lib", "HOME": pwd.getpwuid(0).pw_dir}
    given(PATH="/theirs/bin")
    assert clean_environment()["PATH"].startswith("/usr/local/sbin:") and "PATH" not in roots_own(os.environ)


def test_a_secret_in_a_variable_is_kept_for_the_channels_of_a_condarc(as_root):
    assert roots_own({"SITE_TOKEN": "ab/cd+ef=="}) == {"SITE_TOKEN": "ab/cd+ef=="}
