//! A clean definition with one of everything, and the check that each rule fires on a broken copy.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Rule, lint};

/// A rule and what to do to the clean sample so that this rule alone fires.
pub(super) type Broken = (&'static str, fn(&mut Value));

pub(super) fn clean() -> Value {
    serde_json::from_str(SAMPLE).unwrap()
}

/// Sets the member that the pointer names, which need not be there; `-` appends to an array.
pub(super) fn set(definition: &mut Value, pointer: &str, value: impl Into<Value>) {
    let (holder, key) = holder(definition, pointer);
    match holder {
        Value::Object(object) => {
            object.insert(key, value.into());
        }
        Value::Array(array) if key == "-" => array.push(value.into()),
        Value::Array(array) => array[key.parse::<usize>().unwrap()] = value.into(),
        _ => panic!("{pointer} is in nothing that has members"),
    }
}

/// Removes the member that the pointer names.
pub(super) fn remove(definition: &mut Value, pointer: &str) {
    let (holder, key) = holder(definition, pointer);
    let removed = holder.as_object_mut().unwrap().shift_remove(&key);
    assert!(removed.is_some(), "{pointer} names nothing");
}

/// Copies a member to another place.
pub(super) fn copy(definition: &mut Value, from: &str, to: &str) {
    let value = definition.pointer(from).unwrap().clone();
    set(definition, to, value);
}

fn holder<'d>(definition: &'d mut Value, pointer: &str) -> (&'d mut Value, String) {
    let (holder, key) = pointer.rsplit_once('/').unwrap();
    let found = definition.pointer_mut(holder);
    let found = found.unwrap_or_else(|| panic!("{holder} names nothing"));
    (found, key.replace("~1", "/"))
}

/// Fails unless each rule has a broken sample and each broken sample fires its rule alone.
pub(super) fn check(rules: &[Rule], broken: &[Broken]) {
    let names: BTreeSet<_> = rules.iter().map(|(name, _)| *name).collect();
    let shown: BTreeSet<_> = broken.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, shown, "rules and examples differ");
    for (name, spoil) in broken {
        let mut definition = clean();
        spoil(&mut definition);
        let findings = lint(&definition);
        let text: Vec<_> = findings.iter().map(ToString::to_string).collect();
        let fired: BTreeSet<_> = findings.iter().map(|finding| finding.rule).collect();
        assert_eq!(fired, BTreeSet::from([*name]), "{text:#?}");
        for finding in &findings {
            let known = definition.pointer(&finding.pointer).is_some();
            let missing = name.ends_with("Missing") || name.ends_with("NotValid");
            assert!(known || missing, "{finding} points at nothing");
        }
    }
}

const SAMPLE: &str = r##"{
    "swagger": "2.0",
    "info": {
        "title": "Model Gateway",
        "description": "Language models behind one address, for tests of the rules.",
        "version": "1.0.0",
        "contact": {
            "name": "Support",
            "url": "https://gw.example.com",
            "email": "support@example.com"
        }
    },
    "host": "gw.example.com",
    "basePath": "/api",
    "schemes": ["https"],
    "consumes": ["application/json"],
    "produces": ["application/json"],
    "paths": {
        "/v1/ask": {
            "post": {
                "operationId": "Ask",
                "summary": "Ask a model",
                "description": "Sends one prompt and returns the text of the answer.",
                "tags": ["Chat"],
                "parameters": [
                    {
                        "name": "body",
                        "in": "body",
                        "description": "What to ask.",
                        "required": true,
                        "schema": {"$ref": "#/definitions/AskRequest"}
                    }
                ],
                "responses": {
                    "200": {
                        "description": "The answer.",
                        "headers": {
                            "x-request-id": {"type": "string", "description": "Names the call."}
                        },
                        "schema": {
                            "x-ms-dynamic-schema": {
                                "operationId": "GetAskSchema",
                                "parameters": {"format": {"parameter": "format"}},
                                "value-path": "schema/properties"
                            },
                            "x-ms-dynamic-properties": {
                                "operationId": "GetAskSchema",
                                "parameters": {"format": {"parameterReference": "body/format"}},
                                "itemValuePath": "schema"
                            }
                        }
                    },
                    "default": {"description": "The operation failed."}
                }
            }
        },
        "/v1/models/{author}": {
            "get": {
                "operationId": "ListModels",
                "summary": "List models",
                "description": "Lists the models of one author.",
                "parameters": [
                    {
                        "name": "author",
                        "in": "path",
                        "description": "Who made the models.",
                        "required": true,
                        "type": "string",
                        "x-ms-summary": "Author",
                        "x-ms-url-encoding": "single"
                    },
                    {
                        "name": "limit",
                        "in": "query",
                        "description": "How many models to return.",
                        "type": "integer",
                        "format": "int32",
                        "default": 20,
                        "minimum": 1,
                        "maximum": 100,
                        "x-ms-summary": "Limit",
                        "x-ms-visibility": "advanced"
                    },
                    {
                        "name": "x-trace",
                        "in": "header",
                        "description": "Written to the log.",
                        "type": "string",
                        "x-ms-summary": "Trace"
                    }
                ],
                "responses": {
                    "200": {
                        "description": "The models.",
                        "schema": {"$ref": "#/definitions/ModelList"}
                    },
                    "404": {"description": "No such author."},
                    "default": {"description": "The operation failed."}
                }
            }
        },
        "/v1/choices/models": {
            "get": {
                "operationId": "ListModelChoices",
                "summary": "List model choices",
                "description": "Fills the dropdown of models.",
                "x-ms-visibility": "internal",
                "parameters": [
                    {
                        "name": "kind",
                        "in": "query",
                        "description": "What the models answer with.",
                        "required": true,
                        "type": "string",
                        "x-ms-summary": "Kind"
                    },
                    {
                        "name": "search",
                        "in": "query",
                        "description": "Part of the name.",
                        "type": "string",
                        "x-ms-summary": "Search"
                    }
                ],
                "responses": {
                    "200": {
                        "description": "The choices.",
                        "schema": {"$ref": "#/definitions/ModelList"}
                    },
                    "default": {"description": "The operation failed."}
                }
            }
        },
        "/v1/choices/schema": {
            "get": {
                "operationId": "GetAskSchema",
                "summary": "Get the schema of an answer",
                "description": "Describes what Ask will answer.",
                "x-ms-visibility": "internal",
                "parameters": [
                    {
                        "name": "format",
                        "in": "query",
                        "description": "How the answer is written.",
                        "type": "string",
                        "x-ms-summary": "Format"
                    }
                ],
                "responses": {
                    "200": {
                        "description": "The schema.",
                        "schema": {
                            "type": "object",
                            "properties": {
                                "schema": {
                                    "type": "object",
                                    "description": "A JSON Schema.",
                                    "x-ms-summary": "Schema"
                                }
                            }
                        }
                    },
                    "default": {"description": "The operation failed."}
                }
            }
        },
        "/v1/files/{file_id}": {
            "get": {
                "operationId": "GetFile",
                "summary": "Get a file",
                "description": "Returns the bytes of one file.",
                "produces": ["application/octet-stream"],
                "parameters": [
                    {
                        "name": "file_id",
                        "in": "path",
                        "description": "Which file.",
                        "required": true,
                        "type": "string",
                        "x-ms-summary": "File ID",
                        "x-ms-url-encoding": "single"
                    }
                ],
                "responses": {
                    "200": {
                        "description": "The file.",
                        "schema": {
                            "type": "string",
                            "format": "binary",
                            "x-ms-media-kind": "audio"
                        }
                    },
                    "default": {"description": "The operation failed."}
                }
            }
        },
        "/v1/files": {
            "post": {
                "operationId": "SendFile",
                "summary": "Send a file",
                "description": "Keeps one file for later.",
                "consumes": ["multipart/form-data"],
                "parameters": [
                    {
                        "name": "file",
                        "in": "formData",
                        "description": "The file to keep.",
                        "required": true,
                        "type": "file",
                        "x-ms-summary": "File"
                    }
                ],
                "responses": {
                    "200": {
                        "description": "What was kept.",
                        "schema": {"$ref": "#/definitions/File"}
                    },
                    "default": {"description": "The operation failed."}
                }
            }
        },
        "/v1/hooks/jobs": {
            "x-ms-notification-content": {
                "description": "A job that finished.",
                "schema": {"$ref": "#/definitions/Job"}
            },
            "post": {
                "operationId": "WhenAJobFinishes",
                "summary": "When a job finishes",
                "description": "This operation triggers when a job finishes.",
                "x-ms-trigger": "single",
                "parameters": [
                    {
                        "name": "body",
                        "in": "body",
                        "description": "What to listen to.",
                        "required": true,
                        "schema": {
                            "type": "object",
                            "required": ["callback_url"],
                            "properties": {
                                "callback_url": {
                                    "type": "string",
                                    "description": "Where the job is posted to.",
                                    "x-ms-notification-url": true,
                                    "x-ms-summary": "Callback URL",
                                    "x-ms-visibility": "internal"
                                }
                            }
                        }
                    }
                ],
                "responses": {
                    "201": {
                        "description": "Listening.",
                        "headers": {
                            "Location": {"type": "string", "description": "Ends it by DELETE."}
                        },
                        "schema": {"$ref": "#/definitions/Job"}
                    },
                    "default": {"description": "The operation failed."}
                }
            }
        },
        "/v1/hooks/jobs/{hook_id}": {
            "parameters": [
                {
                    "name": "hook_id",
                    "in": "path",
                    "description": "Which subscription.",
                    "required": true,
                    "type": "string",
                    "x-ms-summary": "Hook ID",
                    "x-ms-url-encoding": "single"
                }
            ],
            "delete": {
                "operationId": "DeleteJobHook",
                "summary": "Delete a job hook",
                "description": "Ends a subscription.",
                "x-ms-visibility": "internal",
                "responses": {
                    "200": {"description": "Ended."},
                    "default": {"description": "The operation failed."}
                }
            }
        },
        "/v1/triggers/models": {
            "get": {
                "operationId": "WhenAModelIsAdded",
                "summary": "When a model is added",
                "description": "This operation triggers when a model is added.",
                "x-ms-trigger": "batch",
                "responses": {
                    "200": {
                        "description": "New models.",
                        "schema": {
                            "type": "array",
                            "items": {"$ref": "#/definitions/Model"}
                        }
                    },
                    "202": {"description": "Nothing new."},
                    "default": {"description": "The operation failed."}
                }
            }
        }
    },
    "definitions": {
        "AskRequest": {
            "type": "object",
            "required": ["model", "prompt", "version"],
            "properties": {
                "model": {
                    "type": "string",
                    "description": "Which model answers.",
                    "x-ms-summary": "Model",
                    "x-ms-dynamic-values": {
                        "operationId": "ListModelChoices",
                        "parameters": {"kind": "text", "search": {"parameter": "search"}},
                        "value-collection": "data",
                        "value-path": "id",
                        "value-title": "name"
                    },
                    "x-ms-dynamic-list": {
                        "operationId": "ListModelChoices",
                        "parameters": {
                            "kind": {"value": "text"},
                            "search": {"parameterReference": "body/search"}
                        },
                        "itemsPath": "data",
                        "itemValuePath": "id",
                        "itemTitlePath": "name"
                    }
                },
                "search": {
                    "type": "string",
                    "description": "Part of a model's name.",
                    "minLength": 1,
                    "maxLength": 40,
                    "x-ms-summary": "Search"
                },
                "prompt": {
                    "type": "string",
                    "description": "The question.",
                    "x-ms-summary": "Prompt"
                },
                "format": {
                    "type": "string",
                    "description": "How the answer is written.",
                    "enum": ["text", "json"],
                    "default": "text",
                    "x-ms-summary": "Format of the Answer",
                    "x-ms-enum-values": [
                        {"value": "text", "displayName": "Text"},
                        {"value": "json", "displayName": "JSON"}
                    ]
                },
                "temperature": {
                    "type": "number",
                    "format": "double",
                    "description": "How freely the model writes.",
                    "minimum": 0,
                    "maximum": 2,
                    "multipleOf": 0.1,
                    "x-ms-summary": "Temperature"
                },
                "version": {
                    "type": "integer",
                    "description": "Which form of the answer.",
                    "default": 1,
                    "x-ms-summary": "Version",
                    "x-ms-visibility": "internal"
                },
                "bias": {
                    "type": "object",
                    "description": "Words to prefer.",
                    "additionalProperties": {"type": "number"},
                    "x-ms-summary": "Bias",
                    "x-ms-editor": "dictionary"
                },
                "files": {
                    "type": "array",
                    "description": "Files to read.",
                    "minItems": 1,
                    "maxItems": 4,
                    "items": {"$ref": "#/definitions/File"},
                    "x-ms-summary": "Files"
                }
            }
        },
        "File": {
            "type": "object",
            "required": ["content"],
            "properties": {
                "content": {
                    "type": "string",
                    "format": "byte",
                    "description": "The bytes in base64.",
                    "x-ms-summary": "Content"
                }
            }
        },
        "Job": {
            "type": "object",
            "properties": {
                "status": {
                    "type": "string",
                    "description": "How far the job is.",
                    "x-ms-summary": "Status"
                }
            }
        },
        "Model": {
            "type": "object",
            "properties": {
                "id": {
                    "type": "string",
                    "description": "Names the model in a call.",
                    "x-ms-summary": "Model ID"
                },
                "name": {
                    "type": "string",
                    "description": "Names the model to people.",
                    "x-ms-summary": "Model Name"
                }
            }
        },
        "ModelList": {
            "type": "object",
            "properties": {
                "data": {
                    "type": "array",
                    "description": "One entry for each model.",
                    "items": {"$ref": "#/definitions/Model"},
                    "x-ms-summary": "Models"
                }
            }
        }
    },
    "securityDefinitions": {
        "api_key": {"type": "apiKey", "in": "header", "name": "Authorization"}
    },
    "security": [{"api_key": []}],
    "tags": [{"name": "Chat", "description": "Text in, text out."}],
    "x-ms-capabilities": {
        "testConnection": {"operationId": "ListModelChoices", "parameters": {"kind": "text"}}
    },
    "x-ms-connector-metadata": [
        {"propertyName": "Website", "propertyValue": "https://gw.example.com"},
        {"propertyName": "Privacy policy", "propertyValue": "https://gw.example.com/privacy"},
        {"propertyName": "Categories", "propertyValue": "AI;Productivity"}
    ]
}"##;
