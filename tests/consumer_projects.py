"""Projects outside the tree that find the library, build against it and run with it."""

import os
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path

from checks import BUILD, INCLUDE, TARGET, TREE, report, run, segment_folder, succeeds

SHARE_TARGET = {**os.environ, "CARGO_TARGET_DIR": str(TARGET)}  # so that CMake rebuilds nothing


def consumers():
    """All of them. What they make goes when they are done."""
    with tempfile.TemporaryDirectory(prefix="atoll-consumers-") as folder:
        work = Path(folder) / "projects"
        shutil.copytree(TREE / "tests" / "consumers", work)
        by_hand(work)
        cmake = shutil.which("cmake", path=f"{TREE / '.venv' / 'bin'}:{os.environ['PATH']}")
        if cmake is None:
            return report("skip", "consumers with CMake: cmake is not installed")
        default_target_folder(cmake, work)
        prefix = installed(cmake, work)
        if prefix:
            found_by_pkg_config(work, prefix)
            found_by_cmake(cmake, work, prefix)
        inside_cmake(cmake, work)


def by_hand(work):
    """No build system: the compiler, the headers and the library."""
    library = TARGET / "release"
    soname = BUILD / "lib"
    for compiler, program in [("cc", "program.c"), ("c++", "program.cpp")]:
        compile_and_run(
            f"{compiler} {program}, shared",
            work,
            "shared",
            [compiler, program, f"-I{INCLUDE}", f"-L{library}", "-latoll"],
            soname,
        )
        compile_and_run(
            f"{compiler} {program}, static",
            work,
            "static",
            [compiler, program, f"-I{INCLUDE}", library / "libatoll.a", "-lpthread", "-ldl", "-lm"],
        )


def installed(cmake, work):
    """Installs, then moves the whole prefix elsewhere: nothing in it may know where it was."""
    build, first, prefix = work / "build-atoll", work / "first", work / "prefix"
    configure = [cmake, "-S", TREE, "-B", build, f"-DCMAKE_INSTALL_PREFIX={first}"]
    with unchanged_tree("cmake --build"):
        good = succeeds("cmake configures", configure, env=SHARE_TARGET) and succeeds(
            "cmake --build", [cmake, "--build", build]
        )
    if not (good and succeeds("cmake --install", [cmake, "--install", build])):
        return None
    first.rename(prefix)
    return prefix


def default_target_folder(cmake, work):
    """Unless told otherwise by CARGO_TARGET_DIR, cargo builds inside the build tree."""
    build = work / "build-default"
    alone = {name: word for name, word in os.environ.items() if name != "CARGO_TARGET_DIR"}
    _, said = run([cmake, "-S", TREE, "-B", build, "-LA"], env=alone)
    inside = f"ATOLL_CARGO_TARGET_DIR:PATH={build}/cargo" in said
    report("ok" if inside else "FAIL", "cargo builds in the build tree", "" if inside else said)


@contextmanager
def unchanged_tree(what):
    """Building must not write to the source tree (but for the folder that cargo was given)."""

    def listing():
        skip = {TARGET, TREE / ".git", TREE / "target", TREE / ".venv"}
        found = {}
        for folder, folders, files in os.walk(TREE):
            folders[:] = [
                name for name in folders if Path(folder, name) not in skip and name != "__pycache__"
            ]
            found[folder] = sorted(files)
        return found

    before = listing()
    yield
    same = listing() == before
    report("ok" if same else "FAIL", f"{what} leaves the source tree alone")


def found_by_pkg_config(work, prefix):
    if not shutil.which("pkg-config"):
        return report("skip", "consumers with pkg-config: it is not installed")
    environment = {**os.environ, "PKG_CONFIG_PATH": str(next(prefix.glob("lib*/**/pkgconfig")))}

    def flags(*arguments):
        return run(["pkg-config", *arguments, "atoll"], env=environment)[1].split()

    library = flags("--variable=libdir")[0]
    for compiler, program in [("cc", "program.c"), ("c++", "program.cpp")]:
        compile_and_run(
            f"pkg-config, {program}, shared",
            work,
            "shared",
            [compiler, program, *flags("--cflags", "--libs")],
            library,
        )
        compile_and_run(
            f"pkg-config --static, {program}",
            work,
            "static",
            [compiler, "-static", program, *flags("--static", "--cflags", "--libs")],
        )


def found_by_cmake(cmake, work, prefix):
    build = project(cmake, work, "find_package", [f"-DCMAKE_PREFIX_PATH={prefix}"])
    if build:
        run_programs("find_package", build)
    succeeds(
        "the examples configure",
        [cmake, "-S", TREE / "c-examples", "-B", work / "build-examples"]
        + [f"-DCMAKE_PREFIX_PATH={prefix}"],
    ) and succeeds("the examples build", [cmake, "--build", work / "build-examples"])
    status, said = run(
        [
            cmake,
            "-S",
            work / "both_at_once",
            "-B",
            work / "build-both",
            f"-DCMAKE_PREFIX_PATH={prefix}",
        ]
    )
    refused = status != 0 and "ATOLL_LINKAGE" in said
    report(
        "ok" if refused else "FAIL",
        "find_package refuses shared and static in one program",
        "" if refused else said,
    )


def inside_cmake(cmake, work):
    """As part of another project; the libraries are those that cargo has built already."""
    for how in ["add_subdirectory", "fetch_content"]:
        build = project(cmake, work, how, [f"-DATOLL_SOURCE={TREE}"], env=SHARE_TARGET)
        if build:
            run_programs(how, build)


def project(cmake, work, name, definitions, **options):
    build = work / f"build-{name}"
    good = succeeds(
        f"{name} configures", [cmake, "-S", work / name, "-B", build, *definitions], **options
    ) and succeeds(f"{name} builds", [cmake, "--build", build], **options)
    return build if good else None


def run_programs(check, build):
    for name in ["c_shared", "c_static", "cpp_shared", "cpp_static"]:
        if (build / name).exists():
            run_program(f"{check}: {name}", build / name, linkage=name.split("_")[1])


def compile_and_run(check, work, linkage, command, library_path=None):
    program = work / "a.out"
    program.unlink(missing_ok=True)
    status, said = run([*command, "-o", program], cwd=work)
    if status:
        return report("FAIL", check, f"$ {' '.join(map(str, command))}\n{said}")
    run_program(check, program, linkage, library_path)


def run_program(check, program, linkage, library_path=None):
    """Runs a consumer, after a look at whether it really needs the shared library or does not."""
    needs_it = "libatoll.so.0" in run(["readelf", "-d", program])[1]
    if needs_it != (linkage == "shared"):
        return report("FAIL", check, f"it is not linked {linkage}")
    with segment_folder() as environment:
        if library_path:
            environment["LD_LIBRARY_PATH"] = str(library_path)
        status, said = run([program, "atoll-test-consumer"], env=environment)
    good = status == 0 and said.endswith(": 42\n")
    report("ok" if good else "FAIL", check, "" if good else said)
