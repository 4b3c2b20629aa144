import { Button, useComputedColorScheme } from '@mantine/core';
import { useEffect, useRef, useState } from 'react';
import type { MailMessage } from '../api/types';
import classes from './Inbox.module.css';
import { fileAddress } from './queries';

const POLICY = (remote: boolean) =>
  `default-src 'none'; style-src 'unsafe-inline'; img-src data: blob:${remote ? ' https:' : ''}`;

const LOOK = `
  :root { color-scheme: light; }
  body { margin: 0; font: 14px/1.5 system-ui, sans-serif; color: #1d2628; overflow-wrap: anywhere; }
  img { max-width: 100%; height: auto; } table { max-width: 100%; } pre { white-space: pre-wrap; }
  blockquote { margin: 0 0 0 8px; padding-left: 10px; border-left: 2px solid #c8d2d4; color: #5a6a6d; }
  a { color: #0b6b75; } p:first-child { margin-top: 0; }
`;
const DARK = `
  :root { color-scheme: dark; } body { color: #dfe7e8; background: transparent; }
  a { color: #6cc5cf; } blockquote { border-color: #44565a; color: #9db0b3; }
`;

/** The whole page of a message: nothing in it runs, and nothing is fetched that was not asked for. */
function page(html: string, files: Map<string, string>, remote: boolean, dark: boolean): string {
  const body = new DOMParser().parseFromString(html, 'text/html').body;
  for (const image of body.querySelectorAll('img')) {
    const file = files.get(image.dataset.cid ?? '');
    if (file) image.src = file;
    else if (remote && image.dataset.remoteSrc) image.src = image.dataset.remoteSrc;
  }
  for (const link of body.querySelectorAll('a')) link.target = '_blank';
  const policy = `<meta http-equiv="Content-Security-Policy" content="${POLICY(remote)}">`;
  const plain = dark && !/bgcolor|background/i.test(html);
  return `<!doctype html><html><head>${policy}<meta name="referrer" content="no-referrer"><style>${LOOK}${plain ? DARK : ''}</style></head><body>${body.innerHTML}</body></html>`;
}

/** The images that stand in the message itself, as addresses of this page. */
function useInlineFiles(message: MailMessage): Map<string, string> {
  const [files, setFiles] = useState(new Map<string, string>());
  const { id, attachments } = message;
  useEffect(() => {
    const wanted = attachments.filter((file) => file.content_id && file.content_type.startsWith('image/'));
    if (wanted.length === 0) return;
    let ended = false;
    const made: string[] = [];
    const read = async () => {
      const found = new Map<string, string>();
      for (const file of wanted) {
        const address = await fileAddress(id, file.index).catch(() => null);
        if (!address) continue;
        made.push(address);
        found.set(file.content_id ?? '', address);
      }
      if (!ended) setFiles(found);
    };
    void read();
    return () => {
      ended = true;
      for (const address of made) URL.revokeObjectURL(address);
    };
  }, [id, attachments]);
  return files;
}

/** A message's own words, in a frame in which no script runs; remote images only when one asks for them. */
export function MessageBody({ message, quoted }: { message: MailMessage; quoted: boolean }) {
  const frame = useRef<HTMLIFrameElement>(null);
  const dark = useComputedColorScheme('light') === 'dark';
  const [remote, setRemote] = useState(false);
  const [height, setHeight] = useState(40);
  const files = useInlineFiles(message);
  const shown = `${message.html ?? ''}${quoted && message.quoted_html ? message.quoted_html : ''}`;
  const fit = () => {
    const inside = frame.current?.contentDocument;
    if (!inside) return;
    const measure = () => setHeight(Math.ceil(inside.documentElement.getBoundingClientRect().height) + 2);
    measure();
    const watch = new ResizeObserver(measure);
    watch.observe(inside.documentElement);
  };
  if (!shown) return <p className={classes.plain}>{message.new_text}</p>;
  return (
    <>
      {message.has_remote_images && !remote && (
        <p className={classes.remote}>
          Pictures from elsewhere are not loaded: they tell the sender that you read this.{' '}
          <Button size="compact-xs" variant="light" onClick={() => setRemote(true)}>
            Load them
          </Button>
        </p>
      )}
      <iframe
        ref={frame}
        title={`Mail of ${message.from.name || message.from.address}`}
        className={classes.frame}
        style={{ height }}
        sandbox="allow-same-origin allow-popups allow-popups-to-escape-sandbox"
        srcDoc={page(shown, files, remote, dark)}
        onLoad={fit}
      />
    </>
  );
}
