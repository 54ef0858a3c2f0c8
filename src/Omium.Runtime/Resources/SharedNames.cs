using System.Globalization;
using Omium.Kernel.Executions;
using Omium.Runtime.Ports;

namespace Omium.Runtime.Resources;

/// <summary>Names by which resource streams know visits of executions: owners and transactions.</summary>
public static class SharedNames
{
    /// <summary>A visit as the owner of locks: <c>execution/step~visit</c>.</summary>
    public static string Owner(string execution, VisitKey visit) => $"{execution}/{visit}";

    /// <summary>An attempt as a transaction: <c>execution/step~visit~attempt</c>.</summary>
    public static string Transaction(string execution, VisitKey visit, int attempt) => string.Create(CultureInfo.InvariantCulture, $"{execution}/{visit}~{attempt}");

    /// <summary>Reads an owner or a transaction; the attempt of an owner is 0.</summary>
    public static bool TryRead(string name, string tenant, out StreamId execution, out VisitKey visit, out int attempt)
    {
        (execution, visit, attempt) = (default, default, 0);
        var slash = name.IndexOf('/', StringComparison.Ordinal);
        var parts = slash < 0 ? [] : name[(slash + 1)..].Split('~');
        if (parts.Length is < 2 or > 3 || !int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            || (parts.Length == 3 && !int.TryParse(parts[2], NumberStyles.None, CultureInfo.InvariantCulture, out attempt)))
        {
            return false;
        }

        (execution, visit) = (new StreamId(tenant, name[..slash]), new VisitKey(parts[0], number));
        return true;
    }
}
