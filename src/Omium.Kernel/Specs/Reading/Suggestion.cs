namespace Omium.Kernel.Specs.Reading;

/// <summary>"Did you mean": the known word nearest to a mistyped one, by edit distance. Bounded work whatever the document holds.</summary>
internal static class Suggestion
{
    private const int WordLengthMax = 64;
    private const int CandidatesMax = 500;

    /// <summary>The candidate with the least distance if that is at most a third of the word (at least 1), the first one of equals; else null.</summary>
    public static string? Nearest(string word, IReadOnlyCollection<string> candidates)
    {
        if (word.Length is 0 or > WordLengthMax || candidates.Count > CandidatesMax)
        {
            return null;
        }

        string? nearest = null;
        var least = Math.Max(1, word.Length / 3) + 1;
        foreach (var candidate in candidates)
        {
            var isPossible = candidate.Length is > 0 and <= WordLengthMax && Math.Abs(candidate.Length - word.Length) < least;
            var distance = isPossible ? Distance(word, candidate) : int.MaxValue;
            if (distance < least)
            {
                (nearest, least) = (candidate, distance);
            }
        }

        return nearest;
    }

    /// <summary>Optimal string alignment: insert, delete, replace, and swap of neighbours each cost one; case costs nothing.</summary>
    private static int Distance(string left, string right)
    {
        var beforePrevious = new int[right.Length + 1];
        var previous = new int[right.Length + 1];
        var current = new int[right.Length + 1];
        for (var column = 0; column <= right.Length; column++)
        {
            previous[column] = column;
        }

        for (var row = 1; row <= left.Length; row++)
        {
            current[0] = row;
            for (var column = 1; column <= right.Length; column++)
            {
                var replaced = previous[column - 1] + (AreSame(left[row - 1], right[column - 1]) ? 0 : 1);
                current[column] = Math.Min(replaced, 1 + Math.Min(previous[column], current[column - 1]));
                var isSwap = row > 1 && column > 1 && AreSame(left[row - 1], right[column - 2]) && AreSame(left[row - 2], right[column - 1]);
                if (isSwap)
                {
                    current[column] = Math.Min(current[column], 1 + beforePrevious[column - 2]);
                }
            }

            (beforePrevious, previous, current) = (previous, current, beforePrevious);
        }

        return previous[right.Length];
    }

    private static bool AreSame(char left, char right) => char.ToLowerInvariant(left) == char.ToLowerInvariant(right);
}
