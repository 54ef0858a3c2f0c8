namespace Omium.Kernel.Specs.Checking;

/// <summary>
/// The graph of steps by index. Edges to unknown steps and self-edges are left out: they are reported where they are written.
/// Building is linear in steps and edges; <see cref="IsAncestor"/> is prepared once, on first use, by bit sets over strong components.
/// </summary>
internal sealed class StepGraph
{
    private readonly List<(int To, int Edge)>[] _outgoing;
    private readonly List<(int From, int Edge)>[] _incoming;
    private readonly WorkflowSpec _spec;
    private (int[] ComponentOf, ulong[]?[] AncestorBits)? _ancestry;

    public StepGraph(WorkflowSpec spec, Dictionary<string, int> stepIndexes)
    {
        _spec = spec;
        _outgoing = new List<(int, int)>[spec.Steps.Count];
        _incoming = new List<(int, int)>[spec.Steps.Count];
        for (var index = 0; index < spec.Steps.Count; index++)
        {
            (_outgoing[index], _incoming[index]) = ([], []);
        }

        for (var edge = 0; edge < spec.Edges.Count; edge++)
        {
            var areKnown = stepIndexes.TryGetValue(spec.Edges[edge].From, out var from) & stepIndexes.TryGetValue(spec.Edges[edge].To, out var to);
            if (areKnown && from != to)
            {
                _outgoing[from].Add((to, edge));
                _incoming[to].Add((from, edge));
            }
        }
    }

    public int Count => _outgoing.Length;

    public IReadOnlyList<(int To, int Edge)> Outgoing(int step) => _outgoing[step];

    public IReadOnlyList<(int From, int Edge)> Incoming(int step) => _incoming[step];

    public bool IsLoop(int edge) => _spec.Edges[edge].VisitsMax is not null;

    /// <summary>
    /// Steps that run first: no edge but loops leads to them, and where there are loops, one comes back from behind the step (what only loops
    /// from elsewhere lead to waits for one of them).
    /// </summary>
    public IReadOnlyList<int> Starts() => Enumerable.Range(0, Count).Where(step => _spec.Steps[step].Id.Length > 0 && IsStart(step)).ToList();

    private bool IsStart(int step)
    {
        if (_incoming[step].Count == 0)
        {
            return true;
        }

        if (!_incoming[step].TrueForAll(pair => IsLoop(pair.Edge)))
        {
            return false;
        }

        var behind = Reachable([step], (_, edge) => !IsLoop(edge));
        return _incoming[step].Exists(pair => behind[pair.From]);
    }

    /// <summary>Steps that can be reached from the starts over edges that <paramref name="follows"/> accepts, the starts included.</summary>
    public bool[] Reachable(IEnumerable<int> starts, Func<int, int, bool> follows)
    {
        var isReached = new bool[Count];
        var open = new Stack<int>(starts);
        while (open.TryPop(out var step))
        {
            if (isReached[step])
            {
                continue;
            }

            isReached[step] = true;
            foreach (var (to, edge) in _outgoing[step])
            {
                if (!isReached[to] && follows(step, edge))
                {
                    open.Push(to);
                }
            }
        }

        return isReached;
    }

    /// <summary>True when a path of at least one edge (loop edges count) leads from <paramref name="ancestor"/> to <paramref name="step"/>.</summary>
    public bool IsAncestor(int ancestor, int step)
    {
        _ancestry ??= BuildAncestry();
        var (componentOf, bits) = _ancestry.Value;
        var component = componentOf[ancestor];
        return bits[componentOf[step]] is { } ancestors && (ancestors[component >> 6] & (1UL << (component & 63))) != 0;
    }

    /// <summary>
    /// The strong components (Tarjan's algorithm, without recursion) over edges that <paramref name="follows"/> accepts, numbered so that every
    /// edge between two components leads from a higher number to a lower one.
    /// </summary>
    public (int[] ComponentOf, int Count) Components(Func<int, bool> follows)
    {
        var (order, low, componentOf) = (new int[Count], new int[Count], new int[Count]);
        Array.Fill(componentOf, -1);
        var (visited, components) = (0, 0);
        var path = new Stack<int>();
        var calls = new Stack<(int Step, int NextEdge)>();
        for (var root = 0; root < Count; root++)
        {
            if (order[root] != 0)
            {
                continue;
            }

            calls.Push((root, 0));
            while (calls.TryPop(out var call))
            {
                var (step, next) = call;
                if (next == 0)
                {
                    order[step] = low[step] = ++visited;
                    path.Push(step);
                }
                else
                {
                    TakeLow(step, _outgoing[step][next - 1]);
                }

                while (next < _outgoing[step].Count && !Descends(step, _outgoing[step][next]))
                {
                    next++;
                }

                if (next < _outgoing[step].Count)
                {
                    calls.Push((step, next + 1));
                    calls.Push((_outgoing[step][next].To, 0));
                }
                else if (low[step] == order[step])
                {
                    while (componentOf[step] < 0)
                    {
                        componentOf[path.Pop()] = components;
                    }

                    components++;
                }
            }
        }

        return (componentOf, components);

        bool Descends(int step, (int To, int Edge) pair)
        {
            if (!follows(pair.Edge))
            {
                return false;
            }

            TakeLow(step, pair);
            return order[pair.To] == 0;
        }

        void TakeLow(int step, (int To, int Edge) pair)
        {
            if (order[pair.To] != 0 && componentOf[pair.To] < 0)
            {
                low[step] = Math.Min(low[step], low[pair.To]);
            }
        }
    }

    private (int[], ulong[]?[]) BuildAncestry()
    {
        var (componentOf, count) = Components(_ => true);
        var words = (count + 63) >> 6;
        var bits = new ulong[count][];
        var members = new List<int>[count];
        for (var component = 0; component < count; component++)
        {
            (bits[component], members[component]) = (new ulong[words], []);
        }

        for (var step = 0; step < Count; step++)
        {
            members[componentOf[step]].Add(step);
        }

        // From the highest number down: what leads into a component is complete before it is read.
        for (var component = count - 1; component >= 0; component--)
        {
            foreach (var (from, _) in members[component].SelectMany(step => _incoming[step]))
            {
                var source = componentOf[from];
                bits[component][source >> 6] |= 1UL << (source & 63);
                for (var word = 0; word < words && source != component; word++)
                {
                    bits[component][word] |= bits[source][word];
                }
            }
        }

        return (componentOf, bits);
    }
}
