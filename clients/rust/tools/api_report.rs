//! Prints the public API of this package as Rust without bodies, comments and private parts: what
//! `lib.rs` exports of each module, and the implementations for these types. Messages that are
//! generated from the contract stay out.
//!
//! It reads the sources, since what rustdoc tells as JSON has another form with each compiler.

use std::collections::BTreeSet;
use std::error::Error;
use std::fs;
use std::path::Path;

use syn::punctuated::Punctuated;
use syn::{Attribute, Fields, File, ImplItem, Item, Type, UseTree, Visibility, parse_quote};

fn main() -> Result<(), Box<dyn Error>> {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let library = parse(&sources.join("lib.rs"))?;
    let modules: Vec<String> = library.items.iter().filter_map(module_of_a_file).collect();
    let mut exported = BTreeSet::new();
    let mut report = Vec::new();
    for item in &library.items {
        match item {
            Item::Use(item) if is_public(&item.vis) => names(&item.tree, &mut exported),
            Item::Mod(item) if is_public(&item.vis) => {}
            _ => continue,
        }
        let mut item = item.clone();
        keep_telling_attributes(&mut item);
        report.push(item);
    }
    for module in modules {
        for mut item in parse(&sources.join(format!("{module}.rs")))?.items {
            if is_exported(&item, &exported) {
                strip(&mut item);
                if !is_empty(&item) {
                    report.push(item);
                }
            }
        }
    }
    let file = File {
        shebang: None,
        attrs: Vec::new(),
        items: report,
    };
    print!("{}", prettyplease::unparse(&file));
    Ok(())
}

fn parse(path: &Path) -> Result<File, Box<dyn Error>> {
    let text = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(syn::parse_file(&text)?)
}

fn module_of_a_file(item: &Item) -> Option<String> {
    match item {
        Item::Mod(item) if item.content.is_none() => Some(item.ident.to_string()),
        _ => None,
    }
}

/// The names that a `pub use` brings in.
fn names(tree: &UseTree, found: &mut BTreeSet<String>) {
    match tree {
        UseTree::Path(path) => names(&path.tree, found),
        UseTree::Group(group) => group.items.iter().for_each(|tree| names(tree, found)),
        UseTree::Name(name) => drop(found.insert(name.ident.to_string())),
        UseTree::Rename(rename) => drop(found.insert(rename.ident.to_string())),
        UseTree::Glob(_) => panic!("lib.rs exports with a glob, which this program can't follow"),
    }
}

fn is_public(visibility: &Visibility) -> bool {
    matches!(visibility, Visibility::Public(_))
}

fn is_exported(item: &Item, exported: &BTreeSet<String>) -> bool {
    match item {
        Item::Struct(item) => exported.contains(&item.ident.to_string()),
        Item::Enum(item) => exported.contains(&item.ident.to_string()),
        Item::Trait(item) => exported.contains(&item.ident.to_string()),
        Item::Type(item) => exported.contains(&item.ident.to_string()),
        Item::Fn(item) => exported.contains(&item.sig.ident.to_string()),
        Item::Const(item) => exported.contains(&item.ident.to_string()),
        Item::Impl(item) => match &*item.self_ty {
            Type::Path(path) => {
                let last = path.path.segments.last().expect("a path has a segment");
                exported.contains(&last.ident.to_string())
            }
            _ => false,
        },
        _ => false,
    }
}

/// Leaves what a user of the package can see.
fn strip(item: &mut Item) {
    keep_telling_attributes(item);
    match item {
        Item::Struct(item) => strip_fields(&mut item.fields),
        Item::Enum(item) => {
            for variant in &mut item.variants {
                variant.attrs.retain(is_telling);
                for field in &mut variant.fields {
                    field.attrs.retain(is_telling);
                }
            }
        }
        Item::Fn(item) => *item.block = parse_quote!({}),
        Item::Impl(item) => {
            let is_inherent = item.trait_.is_none();
            item.items.retain_mut(|member| match member {
                // Those of a trait are the trait's.
                ImplItem::Fn(method) => {
                    method.attrs.retain(is_telling);
                    method.block = parse_quote!({});
                    is_inherent && is_public(&method.vis)
                }
                ImplItem::Const(constant) => !is_inherent || is_public(&constant.vis),
                _ => true,
            });
        }
        _ => {}
    }
}

/// Whether it is an `impl` of which all was private.
fn is_empty(item: &Item) -> bool {
    matches!(item, Item::Impl(item) if item.trait_.is_none() && item.items.is_empty())
}

/// One field `_private` stands for all that are: with one, nobody else can construct the type.
fn strip_fields(fields: &mut Fields) {
    match fields {
        Fields::Named(fields) => {
            let all = fields.named.len();
            fields.named = std::mem::take(&mut fields.named)
                .into_iter()
                .filter(|field| is_public(&field.vis))
                .collect::<Punctuated<_, _>>();
            if fields.named.len() < all {
                fields.named.push(parse_quote!(_private: _));
            }
            for field in &mut fields.named {
                field.attrs.retain(is_telling);
            }
        }
        Fields::Unnamed(fields) => {
            for field in &mut fields.unnamed {
                field.attrs.retain(is_telling);
                if !is_public(&field.vis) {
                    field.ty = parse_quote!(_);
                }
            }
        }
        Fields::Unit => {}
    }
}

fn keep_telling_attributes(item: &mut Item) {
    match item {
        Item::Use(item) => item.attrs.retain(is_telling),
        Item::Struct(item) => item.attrs.retain(is_telling),
        Item::Enum(item) => item.attrs.retain(is_telling),
        Item::Trait(item) => item.attrs.retain(is_telling),
        Item::Type(item) => item.attrs.retain(is_telling),
        Item::Fn(item) => item.attrs.retain(is_telling),
        Item::Const(item) => item.attrs.retain(is_telling),
        Item::Impl(item) => item.attrs.retain(is_telling),
        Item::Mod(item) => {
            item.attrs.retain(is_telling);
            for item in item.content.iter_mut().flat_map(|(_, items)| items) {
                keep_telling_attributes(item);
            }
        }
        _ => {}
    }
}

fn is_telling(attribute: &Attribute) -> bool {
    [
        "cfg",
        "deprecated",
        "derive",
        "must_use",
        "non_exhaustive",
        "repr",
    ]
    .iter()
    .any(|name| attribute.path().is_ident(name))
}
