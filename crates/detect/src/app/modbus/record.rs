//! What is written down of an exchange of Modbus.

use super::ModbusTransaction;
use super::message::{Data, Message, Write, diagnostic_is_known};
use crate::eve::Object;

/// Writes the request and the response.
pub(super) fn write(exchange: &ModbusTransaction, record: &mut Object) {
    record.number("id", exchange.number);
    for (key, message) in [("request", &exchange.request), ("response", &exchange.response)] {
        if let Some(message) = message {
            record.object(key, written(message));
        }
    }
}

fn function(code: u8) -> &'static str {
    let names = [
        "RdCoils",
        "RdDiscreteInputs",
        "RdHoldRegs",
        "RdInputRegs",
        "WrSingleCoil",
        "WrSingleReg",
        "RdExcStatus",
        "Diagnostic",
        "Program484",
        "Poll484",
        "GetCommEventCtr",
        "GetCommEventLog",
        "ProgramController",
        "PollController",
        "WrMultCoils",
        "WrMultRegs",
        "ReportServerID",
        "Program884",
        "ResetCommLink",
        "RdFileRec",
        "WrFileRec",
        "MaskWrReg",
        "RdWrMultRegs",
        "RdFIFOQueue",
    ];
    if code == 43 {
        return "MEI";
    }
    usize::from(code).checked_sub(1).and_then(|place| names.get(place)).copied().unwrap_or("Unknown")
}

fn exception(code: u8) -> &'static str {
    match code {
        1 => "IllegalFunction",
        2 => "IllegalDataAddr",
        3 => "IllegalDataValue",
        4 => "ServerDeviceFail",
        5 => "Ack",
        6 => "ServerDeviceBusy",
        7 => "NegAck",
        8 => "MemParityErr",
        10 => "GatewayPathUnavailable",
        11 => "GatewayTargetFailToResp",
        _ => "Unknown",
    }
}

fn diagnostic(function: u16) -> &'static str {
    let first =
        ["RetQueryData", "RestartCommOpt", "RetDiagReg", "ChangeInputDelimiter", "ForceListenOnlyMode"];
    let second = [
        "ClearCtrDiagReg",
        "RetBusMsgCount",
        "RetBusCommErrCount",
        "RetBusExcErrCount",
        "RetServerMsgCount",
        "RetServerNoRespCount",
        "RetServerNAKCount",
        "RetServerBusyCount",
        "RetBusCharOverrunCount",
        "RetOverrunErrCount",
        "ClearOverrunCounterFlag",
        "GetClearPlusStats",
    ];
    let place = usize::from(function);
    let name = if place < 10 { first.get(place) } else { second.get(place - 10) };
    name.copied().filter(|_| diagnostic_is_known(function)).unwrap_or("Reserved")
}

/// The names of the bits that are set.
fn flags(bits: u8, names: &[(u8, &str)]) -> String {
    let set: Vec<&str> =
        names.iter().filter(|(mask, _)| bits & mask == *mask).map(|(_, name)| *name).collect();
    if set.is_empty() { "NONE".to_owned() } else { set.join(" | ") }
}

fn written(message: &Message) -> Object {
    let mut object = Object::new();
    object.number("transaction_id", u64::from(message.number));
    object.number("protocol_id", u64::from(message.protocol));
    object.number("unit_id", u64::from(message.unit));
    object.number("function_raw", u64::from(message.raw));
    object.text("function_code", function(message.code));
    let access = [
        (1, "READ"),
        (2, "WRITE"),
        (4, "DISCRETES"),
        (8, "COILS"),
        (16, "INPUT"),
        (32, "HOLDING"),
        (64, "SINGLE"),
        (128, "MULTIPLE"),
        (12, "BIT_ACCESS_MASK"),
        (60, "FUNC_MASK"),
        (66, "WRITE_SINGLE"),
        (130, "WRITE_MULTIPLE"),
    ];
    object.text("access_type", &flags(message.access, &access));
    let categories = [(1, "PUBLIC_ASSIGNED"), (2, "PUBLIC_UNASSIGNED"), (4, "USER_DEFINED"), (8, "RESERVED")];
    object.text("category", &flags(message.category, &categories));
    let errors = [(1, "DATA_VALUE"), (2, "DATA_LENGTH"), (4, "EXC_CODE"), (8, "FUNC_CODE"), (16, "PROTO_ID")];
    object.text("error_flags", &flags(message.errors, &errors));
    data(&message.data, &mut object);
    object
}

fn data(data: &Data, object: &mut Object) {
    let mut inner = Object::new();
    match data {
        Data::Empty => {}
        Data::Bytes(bytes) => object.bytes("data", bytes),
        Data::Exception(code) => {
            inner.number("raw", u64::from(*code));
            inner.text("code", exception(*code));
            object.object("exception", inner);
        }
        Data::Diagnostic { function, data } => {
            inner.number("raw", u64::from(*function));
            inner.text("code", diagnostic(*function));
            inner.bytes("data", data);
            object.object("diagnostic", inner);
        }
        Data::Interface { kind, data } => {
            inner.number("raw", u64::from(*kind));
            let name = match kind {
                0x0d => "CANOpenGenRefReqResp",
                0x0e => "RdDevId",
                _ => "Unknown",
            };
            inner.text("code", name);
            inner.bytes("data", data);
            object.object("mei", inner);
        }
        Data::Read { address, quantity } => object.object("read", read(*address, *quantity)),
        Data::WasRead(bytes) => {
            inner.bytes("data", bytes);
            object.object("read", inner);
        }
        Data::Written(write) => object.object("write", written_value(write)),
        Data::ReadAndWritten { address, quantity, write } => {
            object.object("read", read(*address, *quantity));
            object.object("write", written_value(write));
        }
    }
}

fn read(address: u16, quantity: u16) -> Object {
    let mut object = Object::new();
    object.number("address", u64::from(address));
    object.number("quantity", u64::from(quantity));
    object
}

fn written_value(write: &Write) -> Object {
    let mut object = Object::new();
    match write {
        Write::Several { address, quantity, data } => {
            object.number("address", u64::from(*address));
            object.number("quantity", u64::from(*quantity));
            object.bytes("data", data);
        }
        Write::Mask { address, and, or } => {
            object.number("address", u64::from(*address));
            object.number("and_mask", u64::from(*and));
            object.number("or_mask", u64::from(*or));
        }
        Write::One { address, data } => {
            object.number("address", u64::from(*address));
            object.number("data", u64::from(*data));
        }
    }
    object
}
