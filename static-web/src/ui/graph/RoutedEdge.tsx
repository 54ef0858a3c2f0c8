import { BaseEdge, type Edge, type EdgeProps } from '@xyflow/react';
import type { Point } from './layout';

export type RoutedEdgeType = Edge<{ points: Point[] }, 'routed'>;

const cornerRadius = 10;

/** Follows the way the layout found around the nodes, with rounded corners. */
export function RoutedEdge({ data, label, labelStyle, labelBgStyle, markerEnd, style }: EdgeProps<RoutedEdgeType>) {
  const points = data?.points ?? [];
  if (points.length < 2) return null;
  const middle = points[Math.floor(points.length / 2)]!;
  const before = points[Math.floor(points.length / 2) - 1]!;
  return (
    <BaseEdge
      path={pathOf(points)} label={label} labelX={(middle.x + before.x) / 2} labelY={(middle.y + before.y) / 2}
      {...(labelStyle ? { labelStyle } : {})} {...(labelBgStyle ? { labelBgStyle } : {})} {...(markerEnd ? { markerEnd } : {})} {...(style ? { style } : {})}
    />
  );
}

export function pathOf(points: Point[]): string {
  const [start, ...rest] = points;
  let path = `M${start!.x},${start!.y}`;
  rest.forEach((corner, index) => {
    const next = rest[index + 1];
    if (!next) {
      path += `L${corner.x},${corner.y}`;
      return;
    }
    const from = index === 0 ? start! : rest[index - 1]!;
    const before = toward(corner, from);
    const after = toward(corner, next);
    path += `L${before.x},${before.y}Q${corner.x},${corner.y} ${after.x},${after.y}`;
  });
  return path;
}

/** The point at most a corner radius away from the corner, on the way to the other point. */
function toward(corner: Point, other: Point): Point {
  const length = Math.hypot(other.x - corner.x, other.y - corner.y);
  const share = length === 0 ? 0 : Math.min(cornerRadius, length / 2) / length;
  return { x: corner.x + (other.x - corner.x) * share, y: corner.y + (other.y - corner.y) * share };
}
