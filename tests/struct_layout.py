"""Sizes and offsets of all structs of the C ABI.

    struct_layout.py ctypes      prints them as ctypes lays the structs out
    struct_layout.py c-program   prints a C program that prints them as C does
"""

import ctypes
import importlib.util
import sys
from pathlib import Path

DECLARATIONS = Path(__file__).parent.parent / "python" / "atoll" / "_abi.py"


def structs():
    # Loaded by its path: the package around it would want the library.
    spec = importlib.util.spec_from_file_location("_abi", DECLARATIONS)
    abi = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(abi)
    return [
        item
        for item in vars(abi).values()
        if isinstance(item, type) and issubclass(item, ctypes.Structure)
        and item is not ctypes.Structure
    ]


def as_ctypes():
    for struct in structs():
        print(struct.__name__, ctypes.sizeof(struct), ctypes.alignment(struct))
        for name, _ in struct._fields_:
            field = getattr(struct, name)
            print(" ", name, field.offset, field.size)


def as_c_program():
    print("#include <atoll.h>\n#include <stdio.h>\nint main(void) {")
    for struct in structs():
        c = struct.__name__
        print(f'    struct align_{c} {{ char c; {c} it; }};')
        print(f'    printf("{c} %zu %zu\\n", sizeof({c}), offsetof(struct align_{c}, it));')
        for name, _ in struct._fields_:
            place = f"offsetof({c}, {name}), sizeof((({c} *)0)->{name})"
            print(f'    printf("  {name} %zu %zu\\n", {place});')
    print("    return 0;\n}")


{"ctypes": as_ctypes, "c-program": as_c_program}[sys.argv[1]]()
