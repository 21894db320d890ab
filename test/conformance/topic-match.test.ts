import { expect, test } from "vitest";
import { byteString } from "../reference/client.ts";
import { topicMatches } from "../reference/topic.ts";
import { readVectors, type VectorText, vectorText } from "../support/vectors.ts";

interface TopicMatchVector {
  readonly id: string;
  readonly filter: VectorText;
  readonly topic: VectorText;
  readonly match: boolean;
}

test("the reference matches every recorded pair as recorded", () => {
  const wrong = readVectors<TopicMatchVector>("topic_match").filter(({ filter, topic, match }) => {
    const [f, t] = [byteString(vectorText(filter)), byteString(vectorText(topic))];
    return topicMatches(f, t) !== match;
  });
  expect(wrong).toEqual([]);
});
