import {
  ActionIcon,
  Button,
  Menu,
  Popover,
  SegmentedControl,
  Select,
  TextInput,
  Tooltip,
} from '@mantine/core';
import {
  IconDialpad,
  IconMessage2Share,
  IconMicrophone,
  IconMicrophoneOff,
  IconPlayerPause,
  IconPlayerPlay,
  IconPlayerRecord,
  IconPlayerStop,
  IconUserShare,
} from '@tabler/icons-react';
import { type ReactNode, useState } from 'react';
import type { Call } from '../api/types';
import { useMe } from '../app/hooks';
import { useFloor } from '../floor/queries';
import { useRecord } from '../recordings/queries';
import { useHotkeys } from '../ui/hotkeys';
import { attempt, notifyDone } from '../ui/notify';
import classes from './CallBar.module.css';
import {
  useAddParticipant,
  useCompleteTransfer,
  useDrop,
  useHold,
  useMute,
  usePressKeys,
  useTransfer,
  useVoicemailDrops,
  type Whom,
} from './controls';

type ToolProps = {
  label: string;
  hotkey?: string;
  on?: boolean;
  busy?: boolean;
  onClick: () => void;
  children: ReactNode;
};

function Tool({ label, hotkey, on, busy, onClick, children }: ToolProps) {
  return (
    <Tooltip label={hotkey ? `${label} (${hotkey})` : label}>
      <ActionIcon
        size={36}
        variant={on ? 'filled' : 'default'}
        aria-label={label}
        aria-pressed={on}
        loading={busy}
        onClick={onClick}
      >
        {children}
      </ActionIcon>
    </Tooltip>
  );
}

const KEYS = ['1', '2', '3', '4', '5', '6', '7', '8', '9', '*', '0', '#'];

function Keypad({ call }: { call: Call }) {
  const [open, setOpen] = useState(false);
  const [pressed, setPressed] = useState('');
  const press = usePressKeys();
  const send = (digits: string) => {
    setPressed((before) => (before + digits).slice(-16));
    attempt(press.mutateAsync({ id: call.id, digits }), 'The key was not sent');
  };
  return (
    <Popover opened={open} onChange={setOpen} position="top" shadow="md" trapFocus withRoles={false}>
      <Popover.Target>
        <span>
          <Tool label="Keypad" on={open} onClick={() => setOpen(!open)}>
            <IconDialpad size={18} stroke={1.7} />
          </Tool>
        </span>
      </Popover.Target>
      <Popover.Dropdown role="dialog" aria-label="Keypad">
        <output className={classes.pressed} aria-label="Keys pressed">
          {pressed || '\u00a0'}
        </output>
        <div className={classes.keypad}>
          {KEYS.map((key) => (
            <Button key={key} variant="default" aria-label={`Key ${key}`} onClick={() => send(key)}>
              {key}
            </Button>
          ))}
        </div>
      </Popover.Dropdown>
    </Popover>
  );
}

/** Brings a colleague or an outside number in, or hands the call over. */
function Handover({ call }: { call: Call }) {
  const me = useMe();
  const people = useFloor().data?.people ?? [];
  const [open, setOpen] = useState(false);
  const [how, setHow] = useState<'add' | 'warm' | 'cold'>('warm');
  const [colleague, setColleague] = useState<string | null>(null);
  const [phone, setPhone] = useState('');
  const add = useAddParticipant();
  const transfer = useTransfer();
  const whom: Whom | null = colleague
    ? { user_id: colleague }
    : phone.trim()
      ? { phone: phone.trim() }
      : null;
  const go = () => {
    if (!whom) return;
    const work =
      how === 'add'
        ? add.mutateAsync({ id: call.id, whom })
        : transfer.mutateAsync({ id: call.id, whom, kind: how });
    attempt(work, 'They could not be brought in', () => setOpen(false));
  };
  const free = people
    .filter((person) => person.user.id !== me.user.id && person.state !== 'offline')
    .map((person) => ({
      value: person.user.id,
      label: person.state === 'online' ? person.user.name : `${person.user.name} (busy)`,
    }));
  return (
    <Popover
      opened={open}
      onChange={setOpen}
      position="top-end"
      width={300}
      shadow="md"
      trapFocus
      withRoles={false}
    >
      <Popover.Target>
        <span>
          <Tool label="Add or transfer" on={open} onClick={() => setOpen(!open)}>
            <IconUserShare size={18} stroke={1.7} />
          </Tool>
        </span>
      </Popover.Target>
      <Popover.Dropdown role="dialog" aria-label="Add or transfer">
        <div className={classes.handover}>
          <SegmentedControl
            fullWidth
            aria-label="How"
            data={[
              { value: 'warm', label: 'Talk first' },
              { value: 'cold', label: 'Hand over' },
              { value: 'add', label: 'Add' },
            ]}
            value={how}
            onChange={(value) => setHow(value as typeof how)}
          />
          <Select
            label="Colleague"
            placeholder="Choose"
            searchable
            clearable
            data={free}
            value={colleague}
            onChange={setColleague}
            comboboxProps={{ withinPortal: false }}
          />
          <TextInput
            label="Or a number"
            placeholder="+1 415 555 0100"
            disabled={colleague !== null}
            value={phone}
            onChange={(event) => setPhone(event.currentTarget.value)}
          />
          <Button disabled={!whom} loading={add.isPending || transfer.isPending} onClick={go}>
            {how === 'cold' ? 'Hand the call over' : 'Bring in'}
          </Button>
        </div>
      </Popover.Dropdown>
    </Popover>
  );
}

function Record({ call }: { call: Call }) {
  const record = useRecord();
  const to = (state: 'on' | 'paused' | 'off') =>
    attempt(record.mutateAsync({ id: call.id, state }), 'The recording could not be changed');
  if (call.recording === 'off') {
    return (
      <Tool label="Record" busy={record.isPending} onClick={() => to('on')}>
        <IconPlayerRecord size={18} stroke={1.7} />
      </Tool>
    );
  }
  const paused = call.recording === 'paused';
  return (
    <>
      <Tool
        label={paused ? 'Go on recording' : 'Pause the recording'}
        on={!paused}
        busy={record.isPending}
        onClick={() => to(paused ? 'on' : 'paused')}
      >
        {paused ? <IconPlayerRecord size={18} stroke={1.7} /> : <IconPlayerPause size={18} stroke={1.7} />}
      </Tool>
      <Tool label="Stop recording" onClick={() => to('off')}>
        <IconPlayerStop size={18} stroke={1.7} />
      </Tool>
    </>
  );
}

function Drops({ call }: { call: Call }) {
  const [open, setOpen] = useState(false);
  const drops = useVoicemailDrops(true).data?.data ?? [];
  const drop = useDrop();
  if (drops.length === 0) return null;
  const leave = (drop_id: string) =>
    attempt(drop.mutateAsync({ id: call.id, drop_id }), 'The message could not be left', () =>
      notifyDone('The message is being left; you are free'),
    );
  return (
    <Menu opened={open} onChange={setOpen} position="top-end">
      <Menu.Target>
        <span>
          <Tool label="Leave a recorded message" busy={drop.isPending} onClick={() => setOpen(true)}>
            <IconMessage2Share size={18} stroke={1.7} />
          </Tool>
        </span>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>Leave a message and move on</Menu.Label>
        {drops.map((each) => (
          <Menu.Item key={each.id} onClick={() => leave(each.id)}>
            {each.name}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}

/** What one can do while talking. M mutes, H holds. */
export function Controls({ call }: { call: Call }) {
  const me = useMe();
  const hold = useHold();
  const mute = useMute();
  const complete = useCompleteTransfer();
  const mine = call.legs.find((leg) => leg.kind === 'rep' && leg.user?.id === me.user.id);
  const muted = mine?.muted ?? false;
  const colleague = call.legs.some((leg) => leg.kind === 'colleague' && leg.state === 'joined');
  const toggleMute = () =>
    attempt(mute.mutateAsync({ id: call.id, on: !muted }), 'The microphone did not change');
  const toggleHold = () =>
    attempt(hold.mutateAsync({ id: call.id, on: !call.on_hold }), 'The call could not be held');
  useHotkeys([
    ['m', toggleMute],
    ['h', toggleHold],
  ]);
  return (
    <div className={classes.tools} role="toolbar" aria-label="While talking">
      <Tool
        label={muted ? 'Unmute' : 'Mute'}
        hotkey="M"
        on={muted}
        busy={mute.isPending}
        onClick={toggleMute}
      >
        {muted ? <IconMicrophoneOff size={18} stroke={1.7} /> : <IconMicrophone size={18} stroke={1.7} />}
      </Tool>
      <Tool
        label={call.on_hold ? 'Go on' : 'Hold'}
        hotkey="H"
        on={call.on_hold}
        busy={hold.isPending}
        onClick={toggleHold}
      >
        {call.on_hold ? (
          <IconPlayerPlay size={18} stroke={1.7} />
        ) : (
          <IconPlayerPause size={18} stroke={1.7} />
        )}
      </Tool>
      <Keypad call={call} />
      <Record call={call} />
      <Drops call={call} />
      <Handover call={call} />
      {colleague && (
        <Button
          variant="light"
          loading={complete.isPending}
          onClick={() => attempt(complete.mutateAsync(call.id), 'The call could not be handed over')}
        >
          Leave it to them
        </Button>
      )}
    </div>
  );
}
