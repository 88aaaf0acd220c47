//! Prints the C ABI as Python declarations for ctypes.
//!
//! It reads the same sources as cbindgen, and refuses what it does not know: a type
//! without a counterpart, a constant it cannot work out, an item without comment.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::PathBuf;

use syn::{
    Attribute, Expr, Fields, FnArg, Item, ItemFn, ItemStruct, Lit, Meta, ReturnType, Type,
    parse_quote,
};

/// What is declared, in order. Code and comments are apart, so that a change of
/// words leaves the fingerprint alone.
#[derive(Default)]
pub(crate) struct Abi {
    constants: Vec<Declaration>,
    structs: Vec<Declaration>,
    functions: Vec<Declaration>,
    /// What each type of ours is to ctypes.
    known: BTreeMap<String, String>,
}

struct Declaration {
    comment: String,
    code: String,
}

impl Abi {
    /// Reads the sources in their order.
    pub(crate) fn read(sources: &[PathBuf]) -> Self {
        let mut abi = Self::default();
        for path in sources {
            let text = fs::read_to_string(path).unwrap_or_else(|e| panic!("{path:?}: {e}"));
            let file = syn::parse_file(&text).unwrap_or_else(|e| panic!("{path:?}: {e}"));
            file.items.iter().for_each(|item| abi.take(item));
        }
        abi
    }

    fn take(&mut self, item: &Item) {
        match item {
            Item::Const(item) if public(&item.vis) => {
                let value = integer(&item.expr);
                self.constant(&item.ident.to_string(), value, &item.attrs);
            }
            Item::Enum(item) if public(&item.vis) => {
                for variant in &item.variants {
                    let (_, value) = variant.discriminant.as_ref().expect("numbered by hand");
                    self.constant(&variant.ident.to_string(), integer(value), &variant.attrs);
                }
                self.known.insert(item.ident.to_string(), "c_int32".into());
            }
            Item::Struct(item) if public(&item.vis) => self.structure(item),
            Item::Fn(item) if item.sig.abi.is_some() && public(&item.vis) => self.function(item),
            _ => {}
        }
    }

    fn constant(&mut self, name: &str, value: String, attributes: &[Attribute]) {
        let short = name.strip_prefix("ATOLL_").unwrap_or_else(|| panic!("{name}: no ATOLL_"));
        let code = format!("{short} = {value}");
        self.constants.push(Declaration { comment: summary(name, attributes), code });
    }

    fn structure(&mut self, item: &ItemStruct) {
        let name = item.ident.to_string();
        let comment = summary(&name, &item.attrs);
        if !item.attrs.iter().any(|a| a.path().is_ident("repr")) {
            self.known.insert(name, "handle".into());
            return;
        }
        let Fields::Named(fields) = &item.fields else { panic!("{name}: fields have names") };
        let mut code = String::new();
        for field in &fields.named {
            let field_name = plain(field.ident.as_ref().expect("named"));
            summary(&format!("{name}.{field_name}"), &field.attrs);
            let ty = self.ctype(&field.ty, &name);
            writeln!(code, "        (\"{field_name}\", {ty}),").expect("a string grows");
        }
        let code = format!("class {name}(Structure):\n    _fields_ = [\n{code}    ]");
        self.structs.push(Declaration { comment, code });
        self.known.insert(name.clone(), name);
    }

    fn function(&mut self, item: &ItemFn) {
        let name = item.sig.ident.to_string();
        let arguments: Vec<String> = item
            .sig
            .inputs
            .iter()
            .map(|argument| match argument {
                FnArg::Typed(typed) => self.ctype(&typed.ty, &name),
                FnArg::Receiver(_) => panic!("{name}: exported functions have no self"),
            })
            .collect();
        let result = match &item.sig.output {
            ReturnType::Default => "None".into(),
            ReturnType::Type(_, ty) => self.ctype(ty, &name),
        };
        let code = format!("    \"{name}\": lambda: ({result}, [{}]),", arguments.join(", "));
        let code = match code.len() {
            ..=WIDTH => code,
            _ => format!(
                "    \"{name}\": lambda: ({result}, [\n        {},\n    ]),",
                arguments.join(",\n        ")
            ),
        };
        self.functions.push(Declaration { comment: summary(&name, &item.attrs), code });
    }

    /// What a type is to ctypes. Handles are plain addresses there.
    fn ctype(&self, ty: &Type, place: &str) -> String {
        match ty {
            Type::Path(path) => {
                let name = plain(&path.path.segments.last().expect("a name").ident);
                match name.as_str() {
                    "i8" | "i16" | "i32" | "i64" => format!("c_int{}", &name[1..]),
                    "u8" | "u16" | "u32" | "u64" => format!("c_uint{}", &name[1..]),
                    "usize" => "c_size_t".into(),
                    "bool" | "c_char" | "c_int" => format!("c_{}", name.trim_start_matches("c_")),
                    "c_void" => "void".into(),
                    _ => self.known.get(&name).cloned().unwrap_or_else(|| {
                        panic!("{place}: build/ctypes.rs does not know the type `{name}`")
                    }),
                }
            }
            Type::Array(array) => {
                format!("{} * {}", self.ctype(&array.elem, place), length(&array.len))
            }
            Type::Ptr(pointer) => match self.ctype(&pointer.elem, place).as_str() {
                "handle" | "void" => "c_void_p".into(),
                "c_char" => "c_char_p".into(),
                target => format!("POINTER({target})"),
            },
            _ => panic!("{place}: build/ctypes.rs does not know this form of type"),
        }
    }

    /// FNV-1a of the declarations, 64 bits.
    pub(crate) fn fingerprint(&self) -> u64 {
        let all = [&self.constants, &self.structs, &self.functions];
        let bytes = all.into_iter().flatten().flat_map(|d| d.code.bytes().chain([b'\n']));
        bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        })
    }

    /// The Python module.
    pub(crate) fn python(&self, version: &str) -> String {
        let mut text = PROLOGUE.to_owned();
        let fingerprint = self.fingerprint();
        write!(
            text,
            "# The library that these declarations belong to.\n\
             VERSION = \"{version}\"\nABI_FINGERPRINT = {fingerprint:#018x}\n\n",
        )
        .expect("a string grows");
        for constant in &self.constants {
            text += &format!("{}{}\n", commented(&constant.comment, ""), constant.code);
        }
        for item in &self.structs {
            text += &format!("\n\n{}{}\n", commented(&item.comment, ""), item.code);
        }
        text += FUNCTIONS;
        for function in &self.functions {
            text += &format!("{}{}\n", commented(&function.comment, "    "), function.code);
        }
        text + "}\n"
    }
}

const PROLOGUE: &str = "\
\"\"\"The C ABI of libatoll for ctypes: declarations, no logic.

Generated from src/ffi by build/ctypes.rs; `make bless` renews it. include/atoll.h
is the manual. Handles are plain addresses (c_void_p); never follow them.
\"\"\"

from ctypes import (
    POINTER, Structure, c_bool, c_char, c_char_p, c_int, c_int32, c_int64, c_size_t,
    c_uint32, c_uint64, c_void_p,
)

";

/// Declared one by one, when first called: most programs use few.
const FUNCTIONS: &str = "

# Every function: what it returns, and what it takes. Most programs use few, so each is asked for.
FUNCTIONS = {
";

/// How long a line of Python may be.
const WIDTH: usize = 100;

/// A sentence as a comment of Python, in lines that are not too long.
fn commented(sentence: &str, indent: &str) -> String {
    let (mut text, mut line) = (String::new(), format!("{indent}#"));
    for word in sentence.split(' ') {
        if line.len() + 1 + word.len() > WIDTH {
            text += &format!("{line}\n");
            line = format!("{indent}#");
        }
        line += &format!(" {word}");
    }
    text + &line + "\n"
}

/// The first sentence of an item's comment.
fn summary(place: &str, attributes: &[Attribute]) -> String {
    let lines: Vec<String> = attributes
        .iter()
        .filter(|attribute| attribute.path().is_ident("doc"))
        .map(|attribute| match &attribute.meta {
            Meta::NameValue(meta) => literal(&meta.value).trim().to_owned(),
            _ => panic!("{place}: a comment is a text"),
        })
        .take_while(|line| !line.is_empty())
        .collect();
    assert!(!lines.is_empty(), "{place}: what C programmers see needs a comment");
    let paragraph = lines.join(" ");
    match paragraph.find(". ") {
        Some(end) => paragraph[..=end].to_owned(),
        None => paragraph,
    }
}

fn public(visibility: &syn::Visibility) -> bool {
    matches!(visibility, syn::Visibility::Public(_))
}

fn plain(ident: &syn::Ident) -> String {
    ident.to_string().trim_start_matches("r#").to_owned()
}

fn literal(expression: &Expr) -> String {
    match expression {
        Expr::Lit(literal) => match &literal.lit {
            Lit::Str(text) => text.value(),
            Lit::Int(number) => number.base10_digits().to_owned(),
            _ => panic!("build/ctypes.rs does not know this literal"),
        },
        _ => panic!("build/ctypes.rs needs a literal here"),
    }
}

fn integer(expression: &Expr) -> String {
    match expression {
        Expr::Path(path) if path.path == parse_quote!(i64::MAX) => i64::MAX.to_string(),
        _ => literal(expression),
    }
}

/// The length of an array: a number, or one of our constants.
fn length(expression: &Expr) -> String {
    match expression {
        Expr::Path(path) => {
            let name = path.path.segments.last().expect("a name").ident.to_string();
            name.trim_start_matches("ATOLL_").to_owned()
        }
        _ => literal(expression),
    }
}
