"""Drives the stand-in platform with the official Python SDK and prints what the SDK saw.

Usage: python3 lark_check.py BASE_URL APP_ID APP_SECRET OPEN_ID
The last line of the output is "VERDICT " and a JSON object; judging it is left to the caller.
"""

import json
import os
import queue
import sys
import threading

import lark_oapi as lark
from lark_oapi.api.cardkit.v1 import (
    ContentCardElementRequest,
    ContentCardElementRequestBody,
    CreateCardRequest,
    CreateCardRequestBody,
    SettingsCardRequest,
    SettingsCardRequestBody,
)
from lark_oapi.api.im.v1 import (
    CreateFileRequest,
    CreateFileRequestBody,
    CreateImageRequest,
    CreateImageRequestBody,
    CreateMessageReactionRequest,
    CreateMessageReactionRequestBody,
    CreateMessageRequest,
    CreateMessageRequestBody,
    DeleteMessageReactionRequest,
    Emoji,
    GetMessageRequest,
    GetMessageResourceRequest,
    PatchMessageRequest,
    PatchMessageRequestBody,
    ReplyMessageRequest,
    ReplyMessageRequestBody,
)
from lark_oapi.event.callback.model.p2_card_action_trigger import P2CardActionTriggerResponse

BASE, APP_ID, APP_SECRET, OPEN_ID = sys.argv[1:5]
PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 32
events = queue.Queue()


def card(text, buttons, streaming=False):
    """A small card of schema 2.0."""
    elements = [{"tag": "markdown", "element_id": "main", "content": text}]
    for label in buttons:
        elements.append({
            "tag": "button",
            "text": {"tag": "plain_text", "content": label},
            "behaviors": [{"type": "callback", "value": {"op": label.lower()}}],
        })
    return {"schema": "2.0", "config": {"streaming_mode": streaming}, "body": {"elements": elements}}


def on_message(data):
    message = data.event.message
    events.put((message.message_type, message.message_id, json.loads(message.content)))


def on_tap(data):
    events.put(("tap", data.event.context.open_message_id, data.event.action.value))
    return P2CardActionTriggerResponse({
        "toast": {"type": "success", "content": "noted"},
        "card": {"type": "raw", "data": card("allowed", [])},
    })


def done(response):
    if not response.success():
        raise SystemExit(f"{response.code} {response.msg}")
    return getattr(response, "data", None)


def send(client, kind, content, uuid):
    body = CreateMessageRequestBody.builder().receive_id(OPEN_ID).msg_type(kind)
    body = body.content(json.dumps(content)).uuid(uuid).build()
    request = CreateMessageRequest.builder().receive_id_type("open_id").request_body(body).build()
    return done(client.im.v1.message.create(request)).message_id


def talk(client, message_id, verdict):
    """Every kind of message call, once."""
    verdict["sent"] = send(client, "text", {"text": "from python"}, "uuid-1")
    verdict["again"] = send(client, "text", {"text": "from python"}, "uuid-1")
    verdict["card"] = send(client, "interactive", card("working", ["Stop"]), "uuid-2")
    body = ReplyMessageRequestBody.builder().msg_type("post").uuid("uuid-3")
    post = {"zh_cn": {"title": "t", "content": [[{"tag": "md", "text": "**reply**"}]]}}
    body = body.content(json.dumps(post)).build()
    request = ReplyMessageRequest.builder().message_id(message_id).request_body(body).build()
    verdict["reply"] = done(client.im.v1.message.reply(request)).message_id
    request = GetMessageRequest.builder().message_id(verdict["sent"]).build()
    verdict["read"] = json.loads(done(client.im.v1.message.get(request)).items[0].body.content)
    body = CreateMessageReactionRequestBody.builder()
    body = body.reaction_type(Emoji.builder().emoji_type("OnIt").build()).build()
    for emoji_of in (message_id, verdict["sent"]):
        request = CreateMessageReactionRequest.builder().message_id(emoji_of).request_body(body).build()
        verdict["reaction"] = done(client.im.v1.message_reaction.create(request)).reaction_id
    request = DeleteMessageReactionRequest.builder().message_id(verdict["sent"])
    done(client.im.v1.message_reaction.delete(request.reaction_id(verdict["reaction"]).build()))


def stream(client, verdict):
    """A card entity: made, sent, written to, closed."""
    body = CreateCardRequestBody.builder().type("card_json")
    body = body.data(json.dumps(card("...", [], streaming=True))).build()
    made = done(client.cardkit.v1.card.create(CreateCardRequest.builder().request_body(body).build()))
    content = {"type": "card", "data": {"card_id": made.card_id}}
    verdict["entity"] = send(client, "interactive", content, "uuid-4")
    for sequence, text in ((1, "half"), (2, "half and whole")):
        body = ContentCardElementRequestBody.builder().content(text).sequence(sequence).build()
        request = ContentCardElementRequest.builder().card_id(made.card_id).element_id("main")
        done(client.cardkit.v1.card_element.content(request.request_body(body).build()))
    stale = client.cardkit.v1.card_element.content(request.request_body(body).build())
    verdict["stale"] = stale.code
    body = SettingsCardRequestBody.builder().sequence(3)
    body = body.settings(json.dumps({"config": {"streaming_mode": False}})).build()
    request = SettingsCardRequest.builder().card_id(made.card_id).request_body(body).build()
    done(client.cardkit.v1.card.settings(request))


def media(client, verdict):
    """An image and a file, uploaded and sent."""
    import io

    body = CreateImageRequestBody.builder().image_type("message").image(io.BytesIO(PNG)).build()
    made = done(client.im.v1.image.create(CreateImageRequest.builder().request_body(body).build()))
    verdict["image"] = send(client, "image", {"image_key": made.image_key}, "uuid-5")
    body = CreateFileRequestBody.builder().file_type("stream").file_name("a.txt")
    body = body.file(io.BytesIO(b"file from python")).build()
    made = done(client.im.v1.file.create(CreateFileRequest.builder().request_body(body).build()))
    verdict["file"] = send(client, "file", {"file_key": made.file_key}, "uuid-6")


def finish(client, verdict):
    """The last patch puts the button there that the person presses."""
    body = PatchMessageRequestBody.builder().content(json.dumps(card("may I?", ["Allow"]))).build()
    request = PatchMessageRequest.builder().message_id(verdict["card"]).request_body(body).build()
    done(client.im.v1.message.patch(request))
    request = lark.BaseRequest.builder().http_method(lark.HttpMethod.GET)
    request = request.uri("/open-apis/bot/v3/info").token_types({lark.AccessTokenType.TENANT}).build()
    verdict["bot"] = json.loads(client.request(request).raw.content)["bot"]["open_id"]


def main():
    handler = lark.EventDispatcherHandler.builder("", "")
    handler = handler.register_p2_im_message_receive_v1(on_message)
    handler = handler.register_p2_card_action_trigger(on_tap).build()
    socket = lark.ws.Client(APP_ID, APP_SECRET, event_handler=handler, domain=BASE)
    threading.Thread(target=socket.start, daemon=True).start()
    client = lark.Client.builder().app_id(APP_ID).app_secret(APP_SECRET).domain(BASE).build()
    verdict = {}
    while not {"text", "downloaded", "tap"} <= verdict.keys():
        kind, message_id, content = events.get(timeout=60)
        if kind == "text":
            verdict["text"] = content["text"]
            talk(client, message_id, verdict)
            stream(client, verdict)
            media(client, verdict)
            finish(client, verdict)
        elif kind == "file":
            request = GetMessageResourceRequest.builder().message_id(message_id).type("file")
            request = request.file_key(content["file_key"]).build()
            answer = client.im.v1.message_resource.get(request)
            done(answer)
            verdict["downloaded"] = answer.file.read().decode()
        else:
            verdict["tap"] = content
    print("VERDICT " + json.dumps(verdict), flush=True)
    # The socket's thread never ends by itself; give its ack the time to leave.
    sys.stdin.read()
    os._exit(0)


main()
