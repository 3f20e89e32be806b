// Drives the stand-in platform with the official Node SDK and prints what the SDK saw.
//
// Usage: node lark_check.mjs BASE_URL APP_ID APP_SECRET OPEN_ID FOLDER_WITH_NODE_MODULES
// The last line of the output is "VERDICT " and a JSON object; judging it is left to the caller.

import { createRequire } from 'node:module';

const [base, appId, appSecret, openId, modules] = process.argv.slice(2);
const lark = createRequire(`${modules}/`)('@larksuiteoapi/node-sdk');
const app = { appId, appSecret, domain: base, loggerLevel: lark.LoggerLevel.warn };
const client = new lark.Client(app);
const png = Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), Buffer.alloc(32)]);
const verdict = {};

// A small card of schema 2.0.
const card = (text, buttons, streaming = false) => ({
  schema: '2.0',
  config: { streaming_mode: streaming },
  body: {
    elements: [
      { tag: 'markdown', element_id: 'main', content: text },
      ...buttons.map((label) => ({
        tag: 'button',
        text: { tag: 'plain_text', content: label },
        behaviors: [{ type: 'callback', value: { op: label.toLowerCase() } }],
      })),
    ],
  },
});

const done = (answer) => {
  if (answer.code !== 0) throw new Error(`${answer.code} ${answer.msg}`);
  return answer.data;
};

const send = async (msg_type, content, uuid) => {
  const data = { receive_id: openId, msg_type, content: JSON.stringify(content), uuid };
  const answer = await client.im.message.create({ params: { receive_id_type: 'open_id' }, data });
  return done(answer).message_id;
};

// Every kind of message call, once.
async function talk(message_id) {
  verdict.sent = await send('text', { text: 'from node' }, 'uuid-1');
  verdict.again = await send('text', { text: 'from node' }, 'uuid-1');
  verdict.card = await send('interactive', card('working', ['Stop']), 'uuid-2');
  const post = { zh_cn: { title: 't', content: [[{ tag: 'md', text: '**reply**' }]] } };
  const data = { msg_type: 'post', content: JSON.stringify(post), uuid: 'uuid-3' };
  verdict.reply = done(await client.im.message.reply({ path: { message_id }, data })).message_id;
  const read = await client.im.message.get({ path: { message_id: verdict.sent } });
  verdict.read = JSON.parse(done(read).items[0].body.content);
  for (const id of [message_id, verdict.sent]) {
    const reaction = { path: { message_id: id }, data: { reaction_type: { emoji_type: 'OnIt' } } };
    verdict.reaction = done(await client.im.messageReaction.create(reaction)).reaction_id;
  }
  const path = { message_id: verdict.sent, reaction_id: verdict.reaction };
  done(await client.im.messageReaction.delete({ path }));
}

// A card entity: made, sent, written to, closed.
async function stream() {
  const json = JSON.stringify(card('...', [], true));
  const made = await client.cardkit.v1.card.create({ data: { type: 'card_json', data: json } });
  const { card_id } = done(made);
  verdict.entity = await send('interactive', { type: 'card', data: { card_id } }, 'uuid-4');
  const write = (content, sequence) =>
    client.cardkit.v1.cardElement.content({
      path: { card_id, element_id: 'main' },
      data: { content, sequence },
    });
  done(await write('half', 1));
  done(await write('half and whole', 2));
  // The SDK throws on HTTP 400; the platform's code is in the answer it carries.
  verdict.stale = await write('too late', 2).then(
    (answer) => answer.code,
    (error) => error.response?.data?.code,
  );
  const settings = JSON.stringify({ config: { streaming_mode: false } });
  done(await client.cardkit.v1.card.settings({ path: { card_id }, data: { settings, sequence: 3 } }));
}

// An image and a file, uploaded and sent.
async function media() {
  const image = await client.im.image.create({ data: { image_type: 'message', image: png } });
  verdict.image = await send('image', { image_key: image.image_key }, 'uuid-5');
  const file = await client.im.file.create({
    data: { file_type: 'stream', file_name: 'a.txt', file: Buffer.from('file from node') },
  });
  verdict.file = await send('file', { file_key: file.file_key }, 'uuid-6');
}

// The last patch puts the button there that the person presses.
async function finish() {
  const content = JSON.stringify(card('may I?', ['Allow']));
  done(await client.im.message.patch({ path: { message_id: verdict.card }, data: { content } }));
  const info = await client.request({ method: 'GET', url: '/open-apis/bot/v3/info' });
  verdict.bot = info.bot.open_id;
}

async function download(message_id, file_key) {
  const answer = await client.im.messageResource.get({
    path: { message_id, file_key },
    params: { type: 'file' },
  });
  const chunks = [];
  for await (const chunk of answer.getReadableStream()) chunks.push(chunk);
  verdict.downloaded = Buffer.concat(chunks).toString();
}

const fail = (error) => {
  console.error(error);
  process.exit(1);
};

const conclude = () => {
  if (['bot', 'downloaded', 'tap'].every((key) => key in verdict)) {
    console.log('VERDICT ' + JSON.stringify(verdict));
  }
};

const eventDispatcher = new lark.EventDispatcher({ loggerLevel: lark.LoggerLevel.warn }).register({
  'im.message.receive_v1': ({ message }) => {
    // Not awaited: the ack must not wait for the work.
    const content = JSON.parse(message.content);
    const work = async () => {
      if (message.message_type === 'text') {
        verdict.text = content.text;
        await talk(message.message_id);
        await stream();
        await media();
        await finish();
      } else {
        await download(message.message_id, content.file_key);
      }
      conclude();
    };
    work().catch(fail);
  },
  'card.action.trigger': (data) => {
    verdict.tap = data.action.value;
    setImmediate(conclude);
    return {
      toast: { type: 'success', content: 'noted' },
      card: { type: 'raw', data: card('allowed', []) },
    };
  },
});

new lark.WSClient(app).start({ eventDispatcher });
// The caller closes the input when it has seen enough.
process.stdin.resume();
process.stdin.on('end', () => process.exit(0));
