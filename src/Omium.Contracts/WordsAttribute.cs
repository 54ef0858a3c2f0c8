namespace Omium.Contracts;

/// <summary>The words that a text of an answer or a request is one of. Answers may learn new ones: a client takes one it does not know as it is.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class WordsAttribute(params string[] words) : Attribute
{
    /// <summary>The words, in the order they are documented in.</summary>
    public IReadOnlyList<string> Words { get; } = words;
}
