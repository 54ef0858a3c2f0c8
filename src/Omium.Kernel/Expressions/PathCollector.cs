namespace Omium.Kernel.Expressions;

/// <summary>Finds what an expression reads from its bindings.</summary>
internal static class PathCollector
{
    public static IReadOnlyList<ExpressionPath> Collect(Node root)
    {
        var paths = new List<ExpressionPath>();
        Visit(root, paths, new HashSet<string>(StringComparer.Ordinal));
        return paths;
    }

    private static void Visit(Node node, List<ExpressionPath> paths, HashSet<string> seen)
    {
        var segments = new List<string>();
        if (TryPath(node, segments) is { } name)
        {
            // A length before each part keeps ["a.b"] and ["a", "b"] apart.
            string identity = string.Concat(segments.Prepend(name.Name).Select(part => $"{part.Length}:{part}"));
            if (seen.Add(identity))
            {
                paths.Add(new ExpressionPath(name.Name, segments, name.Offset));
            }

            return;
        }

        foreach (Node child in node.Children)
        {
            Visit(child, paths, seen);
        }
    }

    /// <summary>The name at the start of a chain of selections, and the fields selected; null when the node is no such chain.</summary>
    private static NameNode? TryPath(Node node, List<string> segments)
    {
        Node current = node;
        while (true)
        {
            switch (current)
            {
                case NameNode name:
                    segments.Reverse();
                    return name;
                case SelectNode select:
                    segments.Add(select.Field);
                    current = select.Operand;
                    break;
                case IndexNode { Index: ConstantNode { Value: CelString field } } index:
                    segments.Add(field.Value);
                    current = index.Operand;
                    break;
                default:
                    return null;
            }
        }
    }
}
