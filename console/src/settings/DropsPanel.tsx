import { Button, FileButton, Group, Switch, Text, TextInput } from '@mantine/core';
import { IconMicrophone, IconPlayerStop, IconUpload, IconVolume } from '@tabler/icons-react';
import { useMutation } from '@tanstack/react-query';
import { type FormEvent, useRef, useState } from 'react';
import { unwrap } from '../api/client';
import { inWords } from '../api/errors';
import type { VoicemailDrop } from '../api/types';
import { isAtLeast, useMe } from '../app/hooks';
import { api, queryClient } from '../app/services';
import { useVoicemailDrops } from '../calls/controls';
import { attempt, notifyFailure } from '../ui/notify';
import { Panel } from '../ui/Panel';
import { Empty, Failure, Loading } from '../ui/States';
import { clock } from '../ui/time';
import { telephoneWav } from '../voicemail/wav';
import classes from './Settings.module.css';

function reread(): void {
  void queryClient.invalidateQueries({ queryKey: ['voicemail_drops'] });
}

function useUpload() {
  return useMutation({
    mutationFn: ({ file, name, shared }: { file: Blob; name: string; shared: boolean }) => {
      const form = new FormData();
      form.set('file', file, file.type === 'audio/mpeg' ? 'message.mp3' : 'message.wav');
      form.set('name', name);
      form.set('shared', String(shared));
      return unwrap(
        api.POST('/api/v1/voicemail-drops', { body: form as never, bodySerializer: (body) => body }),
      );
    },
    onSuccess: reread,
  });
}

/** Records from the microphone until it is stopped; the result is what a telephone can play. */
function useRecorder(onDone: (sound: Blob) => void) {
  const recorder = useRef<MediaRecorder | null>(null);
  const [on, setOn] = useState(false);
  const start = async () => {
    const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
    const parts: Blob[] = [];
    const made = new MediaRecorder(stream);
    made.ondataavailable = (event) => parts.push(event.data);
    made.onstop = async () => {
      for (const track of stream.getTracks()) track.stop();
      setOn(false);
      try {
        onDone(await telephoneWav(new Blob(parts, { type: made.mimeType })));
      } catch (error) {
        notifyFailure('Nothing was recorded', error);
      }
    };
    recorder.current = made;
    made.start();
    setOn(true);
  };
  return {
    on,
    start: () => start().catch((error) => notifyFailure('The microphone cannot be used', error)),
    stop: () => recorder.current?.stop(),
  };
}

function NewDrop() {
  const { role } = useMe();
  const [sound, setSound] = useState<Blob | null>(null);
  const [name, setName] = useState('');
  const [shared, setShared] = useState(false);
  const upload = useUpload();
  const recorder = useRecorder(setSound);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!sound) return;
    upload.mutate(
      { file: sound, name: name.trim(), shared },
      {
        onSuccess: () => {
          setSound(null);
          setName('');
        },
      },
    );
  };
  return (
    <form className={classes.form} onSubmit={submit}>
      <Group gap="xs">
        {recorder.on ? (
          <Button color="red" leftSection={<IconPlayerStop size={16} />} onClick={recorder.stop}>
            Stop
          </Button>
        ) : (
          <Button variant="default" leftSection={<IconMicrophone size={16} />} onClick={recorder.start}>
            Record
          </Button>
        )}
        <FileButton accept="audio/wav,audio/x-wav,audio/mpeg,.wav,.mp3" onChange={setSound}>
          {(props) => (
            <Button variant="default" leftSection={<IconUpload size={16} />} {...props}>
              Choose a file
            </Button>
          )}
        </FileButton>
        {recorder.on && <Text role="status">Recording…</Text>}
      </Group>
      {sound && (
        <>
          {/* biome-ignore lint/a11y/useMediaCaption: one's own words, just spoken */}
          <audio controls src={URL.createObjectURL(sound)} style={{ height: 36 }} />
          <div className={classes.pair}>
            <TextInput
              label="Name"
              required
              placeholder="Sorry I missed you"
              value={name}
              onChange={(event) => setName(event.currentTarget.value)}
            />
            {isAtLeast(role, 'manager') && (
              <Switch
                label="For everybody"
                checked={shared}
                onChange={(event) => setShared(event.currentTarget.checked)}
              />
            )}
            <Button type="submit" disabled={!name.trim()} loading={upload.isPending}>
              Keep
            </Button>
          </div>
        </>
      )}
      {upload.error && (
        <Text c="red" role="alert">
          {inWords(upload.error)}
        </Text>
      )}
    </form>
  );
}

function Row({ drop }: { drop: VoicemailDrop }) {
  const me = useMe();
  const mine = drop.user?.id === me.user.id || isAtLeast(me.role, 'manager');
  const link = useMutation({
    mutationFn: () =>
      unwrap(api.POST('/api/v1/voicemail-drops/{id}/link', { params: { path: { id: drop.id } } })),
  });
  const remove = useMutation({
    mutationFn: () =>
      unwrap(api.DELETE('/api/v1/voicemail-drops/{id}', { params: { path: { id: drop.id } } })),
    onSuccess: reread,
  });
  return (
    <li className={classes.row}>
      <div className={classes.grow}>
        <Text fw={600}>{drop.name}</Text>
        <Text size="xs" className="muted tabular">
          {clock(drop.duration_ms / 1000)} · {drop.shared ? 'for everybody' : drop.user?.name}
        </Text>
      </div>
      {link.data ? (
        // biome-ignore lint/a11y/useMediaCaption: a recorded greeting
        <audio controls autoPlay src={link.data.url} style={{ height: 36 }} />
      ) : (
        <Button
          size="compact-sm"
          variant="light"
          loading={link.isPending}
          onClick={() => attempt(link.mutateAsync(), 'The message could not be played')}
        >
          Play
        </Button>
      )}
      {mine && (
        <Button
          size="compact-sm"
          variant="subtle"
          color="gray"
          onClick={() => attempt(remove.mutateAsync(), 'The message could not be deleted')}
        >
          Delete
        </Button>
      )}
    </li>
  );
}

/** Messages to leave on a machine while one moves on. */
export default function DropsPanel() {
  const query = useVoicemailDrops(true);
  const drops = query.data?.data ?? [];
  return (
    <Panel title="Voicemail messages">
      {query.isPending && <Loading rows={3} />}
      {query.isError && !query.data && <Failure error={query.error} onRetry={() => query.refetch()} />}
      {query.isSuccess && drops.length === 0 && (
        <Empty icon={<IconVolume size={20} />} title="No messages yet">
          Record one, and leave it with one click when a machine answers.
        </Empty>
      )}
      <ul className={classes.rows} aria-label="Voicemail messages">
        {drops.map((drop) => (
          <Row key={drop.id} drop={drop} />
        ))}
      </ul>
      <NewDrop />
    </Panel>
  );
}
