import { Link } from 'react-router';
import type { Floor } from '../api/types';
import { Panel } from '../ui/Panel';
import { span } from '../ui/time';
import { callsBehind } from './behind';
import classes from './Floor.module.css';

/** Who did what today; each number opens the calls behind it. */
export function LeaderPanel({ scores, since }: { scores: Floor['leaderboard']; since: string }) {
  if (scores.length === 0) return null;
  return (
    <Panel title="Leaderboard">
      <div className={classes.scroll}>
        <table className={classes.leaders}>
          <thead>
            <tr>
              <th>Person</th>
              <th>Calls</th>
              <th>Connected</th>
              <th>Meetings</th>
              <th>Talk time</th>
            </tr>
          </thead>
          <tbody>
            {scores.map((score) => (
              <tr key={score.user.id}>
                <td className="truncate">{score.user.name}</td>
                <td>
                  <Link to={callsBehind({ since, user_id: score.user.id })}>{score.calls}</Link>
                </td>
                <td>
                  <Link to={callsBehind({ since, user_id: score.user.id, connected: 'true' })}>
                    {score.connected}
                  </Link>
                </td>
                <td>
                  <Link to={callsBehind({ since, user_id: score.user.id, disposition: 'meeting_booked' })}>
                    {score.meetings}
                  </Link>
                </td>
                <td>{span(score.talk_s)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Panel>
  );
}
