//! Which texts of options on numbers are taken and which are refused.

use crate::rule::{RuleFile, RuleSet, Variables};

/// Whether a rule with these options is taken.
fn is_read(options: &str) -> bool {
    let text = format!("alert tcp any any -> any any ({options}; sid:1;)");
    let set = RuleSet::load(&[RuleFile { name: "test", text: &text }], &Variables::default(), &|_| None);
    set.report().loaded == 1
}

#[test]
fn every_form_of_byte_test_is_read() {
    for value in [
        "4,=,1,0",
        "4, !, 1, 0",
        "4,!=,0x10,-4,relative",
        "2,!>,010,0,little",
        "8,<=,-1,0,big,relative",
        "23,>,5,0,string",
        "10,&,5,0,STRING,HEX",
        "4,^,5,0,bitmask 0xff00",
        "4,=,1,0,dce",
    ] {
        assert!(is_read(&format!("byte_test:{value}")), "{value}");
    }
    for value in [
        "4,=,1",
        "9,=,1,0",
        "24,=,1,0,string",
        "4,~,1,0",
        "4,=,x,0",
        "4,=,1,0,hex",
        "4,=,1,0,string hex",
        "4,=,1,0,dce,string",
        "4,=,1,0,align",
        "4,=,1,unknown",
        "4,=,1,70000",
    ] {
        assert!(!is_read(&format!("byte_test:{value}")), "{value}");
    }
}

#[test]
fn every_form_of_byte_jump_is_read() {
    for value in [
        "4,0",
        "0,5",
        "4,-4,relative,little,multiplier 2,align,post_offset -3",
        "4,0,from_beginning",
        "4,0,from_end",
        "10,0,string,dec,relative",
        "4,0,dce,relative",
    ] {
        assert!(is_read(&format!("byte_jump:{value}")), "{value}");
    }
    for value in [
        "4",
        "9,0",
        "4,0,from_end,from_beginning",
        "4,0,multiplier 0",
        "4,0,multiplier 65536",
        "4,0,hex",
        "4,0,dce,from_end",
        "4,0,bitmask 0xff",
        "4,0,post_offset x",
        "unknown,0",
    ] {
        assert!(!is_read(&format!("byte_jump:{value}")), "{value}");
    }
}

#[test]
fn every_form_of_byte_extract_is_read() {
    for value in [
        "4,2,one",
        "4,-2,one,relative",
        "4,2,one,little,multiplier 2,align 4,slice",
        "4,2,one,dce",
        "20,2,one,string",
        "14,2,one,string,hex,relative",
        "23,2,one,string,oct",
    ] {
        assert!(is_read(&format!("byte_extract:{value}")), "{value}");
    }
    for value in [
        "4,2",
        "9,2,one",
        "4,40000,one",
        "21,2,one,string,dec",
        "15,2,one,string,hex",
        "4,2,one,hex",
        "4,2,one,hex,string",
        "4,2,one,string,little",
        "4,2,one,string,slice",
        "4,2,one,little,big",
        "4,2,one,relative,relative",
        "4,2,one,align 3",
        "4,2,one,multiplier 0",
    ] {
        assert!(!is_read(&format!("byte_extract:{value}")), "{value}");
    }
}

#[test]
fn every_form_of_byte_math_is_read() {
    let five = "bytes 4, offset 0, oper +, rvalue 1, result r";
    for value in [
        "",
        ", relative",
        ", endian little",
        ", dce",
        ", string hex",
        ", bitmask ff00",
        ", bitmask 0xff00, relative, endian big",
    ] {
        assert!(is_read(&format!("byte_math:{five}{value}")), "{value}");
    }
    for value in [
        ", hex",
        ", string",
        ", little",
        ", bitmask 0xg",
        ", bitmask 0x123456789",
        ", bytes 4",
        ", dce, endian big",
    ] {
        assert!(!is_read(&format!("byte_math:{five}{value}")), "{value}");
    }
    for value in [
        "bytes 0, offset 0, oper +, rvalue 1, result r",
        "bytes 11, offset 0, oper +, rvalue 1, result r",
        "bytes 5, offset 0, oper <<, rvalue 1, result r",
        "bytes 4, offset 70000, oper +, rvalue 1, result r",
        "bytes 4, offset 0, oper /, rvalue 0, result r",
        "bytes 4, offset 0, oper +, rvalue 4294967296, result r",
        "bytes 4, offset 0, oper %, rvalue 1, result r",
        "bytes 4, offset 0, oper +, result r",
    ] {
        assert!(!is_read(&format!("byte_math:{value}")), "{value}");
    }
}

#[test]
fn kept_numbers_stand_for_numbers_once_they_are_kept() {
    let kept = "byte_extract:1,0,n";
    for option in [
        "byte_test:n,=,n,n",
        "byte_jump:n,n",
        "byte_math:bytes n, offset 0, oper *, rvalue n, result m",
        "isdataat:n,relative",
    ] {
        assert!(is_read(&format!("{kept}; {option}")), "{option}");
        assert!(!is_read(&format!("{option}; {kept}")), "{option}");
    }
}

#[test]
fn entropies_are_compared_in_every_way() {
    let is_read = |value: &str| is_read(&format!("entropy:{value}"));
    for value in ["value 7", "value >= 4.14", "value !4-5", "value 4<>5", "bytes 4, offset 30, value != .5"] {
        assert!(is_read(value), "{value}");
    }
    for value in ["bytes 4", "value ? 7", "value 5-4", "value 1, value 2", "offset 70000, value 1", "7"] {
        assert!(!is_read(value), "{value}");
    }
}
