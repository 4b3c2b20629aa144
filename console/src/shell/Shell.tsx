import { ActionIcon, Menu, Text } from '@mantine/core';
import { useMediaQuery } from '@mantine/hooks';
import { spotlight } from '@mantine/spotlight';
import { IconDots, IconSearch } from '@tabler/icons-react';
import { lazy, type ReactNode, Suspense } from 'react';
import { Link, NavLink, useLocation } from 'react-router';
import { useMe } from '../app/hooks';
import { PlanBanner } from '../billing/PlanBanner';
import { CallBar } from '../calls/CallBar';
import { useOpenDraft } from '../mail/compose';
import { Bell } from '../notifications/Bell';
import { Ringer } from '../softphone/Ringer';
import { ByeBanner, LinkIndicator } from './LinkIndicator';
import { Palette } from './Palette';
import { type Room, useRooms } from './rooms';
import classes from './Shell.module.css';
import { UserMenu } from './UserMenu';

const ComposeDock = lazy(() => import('../mail/ComposeDock'));

function Brand() {
  const { tenant } = useMe();
  return (
    <Link to="/" className={classes.brand} aria-label={`Ringside, ${tenant.name}`}>
      <img src="/icon.svg" alt="" />
      <Text fw={620} title={tenant.name} className={classes.brandText}>
        {tenant.name}
      </Text>
    </Link>
  );
}

function RoomLink({ room }: { room: Room }) {
  return (
    <NavLink to={room.to} className={classes.link}>
      <room.icon size={19} stroke={1.7} aria-hidden />
      <span className={classes.linkText}>{room.label}</span>
    </NavLink>
  );
}

/** The rooms beside the daily ones: in a row on a wide screen, behind a button on a phone. */
function MoreRooms({ rooms }: { rooms: Room[] }) {
  const { pathname } = useLocation();
  if (rooms.length === 0) return null;
  const within = rooms.some((room) => pathname === room.to || pathname.startsWith(`${room.to}/`));
  return (
    <Menu position="top-end" width={200}>
      <Menu.Target>
        <button type="button" className={classes.link} data-within={within || undefined}>
          <IconDots size={19} stroke={1.7} aria-hidden />
          <span className={classes.linkText}>More</span>
        </button>
      </Menu.Target>
      <Menu.Dropdown aria-label="More rooms">
        {rooms.map((room) => (
          <Menu.Item
            key={room.to}
            component={NavLink}
            to={room.to}
            leftSection={<room.icon size={18} stroke={1.7} aria-hidden />}
          >
            {room.label}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}

function Nav({ phone }: { phone: boolean }) {
  const rooms = useRooms();
  const shown = phone ? rooms.filter((room) => room.daily) : rooms;
  return (
    <nav className={classes.nav} aria-label="Rooms">
      {shown.map((room) => (
        <RoomLink key={room.to} room={room} />
      ))}
      {phone && <MoreRooms rooms={rooms.filter((room) => !room.daily)} />}
    </nav>
  );
}

function PhoneTop() {
  return (
    <section className={classes.top} aria-label="Company and account">
      <Brand />
      <LinkIndicator />
      <Bell />
      <ActionIcon variant="subtle" color="gray" size="lg" aria-label="Find" onClick={spotlight.open}>
        <IconSearch size={19} stroke={1.7} />
      </ActionIcon>
      <UserMenu />
    </section>
  );
}

const MAC = /Mac|iPhone|iPad/.test(navigator.userAgent);

/** What surrounds every room: navigation, connection, person, palette and the call bar. */
export function Shell({ children }: { children: ReactNode }) {
  const draft = useOpenDraft();
  const phone = useMediaQuery('(max-width: 48em)', undefined, { getInitialValueInEffect: false });
  return (
    <div className={classes.shell}>
      <aside className={classes.side} aria-label="Navigation">
        {!phone && (
          <>
            <Brand />
            <button type="button" className={classes.find} onClick={spotlight.open}>
              <IconSearch size={16} aria-hidden />
              <span className={classes.findText}>Find</span>
              <kbd>{MAC ? '⌘ K' : 'Ctrl K'}</kbd>
            </button>
          </>
        )}
        <Nav phone={phone === true} />
        {!phone && (
          <div className={classes.foot}>
            <div className={classes.status}>
              <LinkIndicator />
              <Bell />
            </div>
            <UserMenu />
          </div>
        )}
      </aside>
      <div className={classes.main}>
        {phone && <PhoneTop />}
        <ByeBanner />
        <PlanBanner />
        <main className={classes.content}>{children}</main>
        <Ringer />
        <CallBar />
      </div>
      {draft && (
        <Suspense fallback={null}>
          <ComposeDock />
        </Suspense>
      )}
      <Palette />
    </div>
  );
}
